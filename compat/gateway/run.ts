// What the public tests of other proxies for Express and Fastify say, said of @lb/express. README.md says how they are adapted.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { expressHttpProxy } from "./express-http-proxy.ts";
import { fastifyHttpProxy } from "./fastify-http-proxy.ts";
import { fastifyReplyFrom } from "./fastify-reply-from.ts";
import { httpProxyMiddleware } from "./http-proxy-middleware.ts";
import { type Case, Stage, type Suite } from "./suite.ts";
import { type Ran, tableOf } from "./table.ts";

const { values } = parseArgs({ options: { only: { type: "string" } } });
const suites: readonly Suite[] = [httpProxyMiddleware, fastifyHttpProxy, fastifyReplyFrom, expressHttpProxy];
const patienceMs = 20_000;

async function ran(one: Case): Promise<string | undefined> {
  const stage = new Stage();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${patienceMs} ms`)), patienceMs);
  });
  try {
    await Promise.race([one.run(stage), late]);
    return undefined;
  } catch (error) {
    return (error as Error).message.split("\n", 1)[0]!;
  } finally {
    clearTimeout(timer);
    await stage.close();
  }
}

// Express tells of errors there, and what is the app's fault is told in warnings: here both are meant.
process.env["NODE_ENV"] = "test";
process.removeAllListeners("warning");
const results: Ran[] = [];
for (const suite of suites) {
  for (const one of suite.cases) {
    if (values.only !== undefined && !`${suite.project} ${one.file} ${one.name}`.includes(values.only)) continue;
    const failure = await ran(one);
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
