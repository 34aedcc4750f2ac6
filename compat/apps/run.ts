// Real programs from npm, unmodified, under `lb start`. README.md says how to add one.
import { parseArgs } from "node:util";
import type { Mode } from "./app.ts";
import { type Row, runGauntlet, unexpected } from "./gauntlet.ts";
import type { NamedApp } from "./installation.ts";
import { programs } from "./programs.ts";
import { keepRow, writeTable } from "./table.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    mode: { type: "string" },
    quick: { type: "boolean", default: false },
    /** Only by themselves: for whoever writes a definition. */
    plain: { type: "boolean", default: false },
    /** With what the packages of the programs need as it is now, instead of as the lock files say. */
    relock: { type: "boolean", default: false },
  },
});

const { only, mode, quick, plain, relock } = values;
if (mode !== undefined && mode !== "proxy" && mode !== "handoff") throw new Error("--mode is proxy or handoff");
const all = await programs({ quick });
const unknown = only?.find((name) => !all.some((app) => app.name === name));
if (unknown !== undefined)
  throw new Error(`--only: there is no ${unknown} among ${all.map(({ name }) => name).join(", ")}`);
const chosen = all.filter(({ name }) => only === undefined || only.includes(name));

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const rows: Row[] = [];
for (const app of chosen) {
  console.log(`${app.name} (${app.title})`);
  const modes = plain ? [] : modesOf(app);
  const row = await runGauntlet(app, {
    modes,
    all,
    watchMs: quick ? 100 : 500,
    relock,
    twice: !quick,
    log: (line) => console.log(line),
  });
  rows.push(row);
  if (!quick && !plain) keepRow(row);
}

const failed = chosen.filter((app, index) => {
  const row = rows[index]!;
  return row.unfit !== undefined || unexpected(app, row).length > 0;
});
console.log(
  `${chosen.length - failed.length} passed, ${failed.length} failed${failed.map(({ name }) => ` ${name}`).join("")}`,
);
if (!quick && !plain) writeTable(all);
process.exitCode = failed.length > 0 ? 1 : 0;

function modesOf(app: NamedApp): readonly Mode[] {
  if (mode !== undefined) return [mode as Mode];
  return quick ? [app.quick!] : ["proxy", "handoff"];
}
