import { parseArgs } from "node:util";
import { emptyReport, fuzz, fuzzOne } from "../packages/core/test/support/fuzz.ts";
import { fuzzTargets } from "../packages/core/test/support/fuzz-targets.ts";

const usage = `pnpm fuzz [--seconds N] [--seed S] [--target ${fuzzTargets.map(({ name }) => name).join("|")}] [--case C]

Compares our parsers with Node's on mutated messages. Exits 1 on a divergence, with the case that shows it.
  --seconds  how long, shared by the targets (default 60)
  --seed     where to begin (default: the time, printed)
  --target   one target only; may be repeated
  --case     run the one case with this seed, as a divergence names it`;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string" },
    target: { type: "string", multiple: true },
    case: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});

const targets = fuzzTargets.filter(({ name }) => values.target === undefined || values.target.includes(name));
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
const only = values.case === undefined ? undefined : Number(values.case);
const badTarget = values.target?.some((name) => !fuzzTargets.some((target) => target.name === name)) === true;
if (values.help === true || badTarget || !(seconds > 0) || !Number.isInteger(seed) || Number.isNaN(only)) {
  console.error(usage);
  process.exit(2);
}

const casesPerRound = 256;
const reports = targets.map((target) => ({ target, report: emptyReport() }));
if (only !== undefined) {
  for (const { target, report } of reports) await fuzzOne(target, only, report);
} else {
  console.log(`Seed ${seed}, ${seconds} s: ${targets.map(({ name }) => name).join(", ")}`);
  const until = performance.now() + seconds * 1_000;
  for (let first = 0; performance.now() < until; first += casesPerRound) {
    for (const { target, report } of reports) {
      await fuzz(target, { seed, first, count: casesPerRound }, report);
    }
    if (reports.some(({ report }) => report.divergences.length > 0)) break;
  }
}

for (const { target, report } of reports) {
  const { cases, accepted, divergences } = report;
  console.log(`${target.name}: ${cases} cases, ${accepted} accepted, ${divergences.length} divergences`);
  for (const { what, seed: case_, input } of divergences.slice(0, 5)) {
    console.log(`  ${what}\n    pnpm fuzz --target ${target.name} --case ${case_}\n    ${input}`);
  }
}
process.exit(reports.some(({ report }) => report.divergences.length > 0) ? 1 : 0);
