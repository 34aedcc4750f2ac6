import { join } from "node:path";
import { parseArgs } from "node:util";
import { type ChaosReport, chaos } from "./chaos/run.ts";

const usage = `pnpm chaos [--minutes N] [--mode proxy|handoff] [--node 22|24|26] [--seed S]

A cluster of four instances under load, to which things happen at random: kills, stops, crashes, blocks, reloads, scaling, poison.
Exits 1 on a violation of the ledger, naming the seed and where the log of events is. Build first.
  --minutes  how long (default 1)
  --mode     default proxy
  --node     the Node of the cluster (default 24)
  --seed     of what happens, not of when the processes run (default: the time)`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    mode: { type: "string", default: "proxy" },
    node: { type: "string", default: "24" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    help: { type: "boolean", short: "h" },
  },
});

const root = join(import.meta.dirname, "..");
const nodes: Record<string, string> = {
  22: join(root, "compat/node_modules/node22/bin/node"),
  24: process.execPath,
  26: join(root, "compat/node_modules/node26/bin/node"),
};
const { mode } = values;
const node = nodes[values.node];
const seconds = Number(values.minutes) * 60;
const seed = Number(values.seed);
if (values.help || (mode !== "proxy" && mode !== "handoff") || !node || !(seconds > 0) || !Number.isInteger(seed)) {
  console.error(usage);
  process.exit(2);
}

console.log(`Seed ${seed}, ${seconds} s, ${mode} mode, Node ${values.node}`);
const report = await chaos({ node, mode, seconds, seed });
print(report);
process.exit(report.violations.length > 0 ? 1 : 0);

function print({ violations, ledger, brought, deaths, descriptors, residentMb, folder }: ChaosReport): void {
  const rows: Record<string, { sent: number; answered: number; "5xx": number; cut: number; p99ms: number }> = {};
  for (const kind of new Set(ledger.entries.map((entry) => entry.kind))) {
    const entries = ledger.entries.filter((entry) => entry.kind === kind);
    const count = (status: (status: number) => boolean) =>
      entries.filter(({ outcome }) => outcome.kind === "answered" && status(outcome.status)).length;
    const times = entries.map(({ from, to }) => to - from).sort((a, b) => a - b);
    rows[kind] = {
      sent: entries.length,
      answered: count((status) => status === 200),
      "5xx": count((status) => status >= 500),
      cut: entries.filter(({ outcome }) => outcome.kind !== "answered").length,
      p99ms: Math.round(times[Math.floor(times.length * 0.99)]!),
    };
  }
  console.table(rows);
  console.log([...brought].map(([name, times]) => `${name} ${times}`).join(", "));
  console.log(`${deaths} deaths; descriptors ${descriptors.join(" → ")}; memory ${residentMb.join(" → ")} MB`);
  console.log(
    violations.length === 0 ? "No violation." : `${violations.length} violations, seed ${seed}: ${folder}/events.log`,
  );
  for (const violation of violations.slice(0, 20)) console.log(`  ${violation}`);
}
