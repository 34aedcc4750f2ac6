// What the public tests of other proxies for Express and Fastify say, said of @lb/express. README.md says how they are adapted.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { failureOf, suites } from "./suites.ts";
import { type Ran, tableOf } from "./table.ts";

const { values } = parseArgs({ options: { only: { type: "string" } } });
// Express tells of errors there, and what is the app's fault is told in warnings: here both are meant.
process.env["NODE_ENV"] = "test";
process.removeAllListeners("warning");
const results: Ran[] = [];
for (const suite of suites) {
  for (const one of suite.cases) {
    if (values.only !== undefined && !`${suite.project} ${one.file} ${one.name}`.includes(values.only)) continue;
    const failure = await failureOf(one);
    results.push({ suite, case: one, failure });
    if ((failure === undefined) === (one.differs === undefined)) continue;
    console.log(`${suite.project}, ${one.file}, ${one.name}: ${failure ?? "passes, and is said to differ"}`);
    process.exitCode = 1;
  }
}
const passed = results.filter(({ failure }) => failure === undefined).length;
console.log(`${passed} of ${results.length} adapted tests pass; ${results.length - passed} do not`);
if (values.only === undefined && process.exitCode !== 1) {
  writeFileSync(join(import.meta.dirname, "../../docs/gateway-compatibility.md"), tableOf(suites, results));
}
