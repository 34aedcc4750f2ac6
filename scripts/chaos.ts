import { join } from "node:path";
import { parseArgs } from "node:util";
import { edges } from "./chaos/place.ts";
import { type ChaosReport, chaos } from "./chaos/run.ts";

const usage = `pnpm chaos [--minutes N] [--mode proxy|handoff] [--edge plain|tls|h2] [--node 22|24|26] [--seed S]

A cluster of four instances under load, to which things happen as the seed says: kills, stops, crashes, blocks, reloads, scaling, poison.
Exits 1 on a violation of the ledger, naming the seed and where the logs are. Build first.
  --minutes  how long (default 1)
  --mode     default proxy
  --edge     how clients reach it: without TLS, over TLS, over HTTP/2 (default plain)
  --node     the Node of the cluster (default 24)
  --seed     of what happens and when (default: the time)`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    mode: { type: "string", default: "proxy" },
    edge: { type: "string", default: "plain" },
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
const edge = edges.find((name) => name === values.edge);
const node = nodes[values.node];
const seconds = Number(values.minutes) * 60;
const seed = Number(values.seed);
const isMode = mode === "proxy" || (mode === "handoff" && edge !== "h2");
if (values.help || !isMode || edge === undefined || !node || !(seconds > 0) || !Number.isInteger(seed)) {
  console.error(usage);
  process.exit(2);
}

console.log(`Seed ${seed}, ${seconds} s, ${mode} mode, ${edge}, Node ${values.node}`);
const report = await chaos({ node, mode, edge, seconds, seed });
print(report);
process.exit(report.violations.length > 0 ? 1 : 0);

function print(report: ChaosReport): void {
  const { violations, summary, brought, skipped, deaths, messages, descriptors, heapMb, folder } = report;
  console.table(summary);
  console.log([...brought].map(([name, times]) => `${name} ${times}`).join(", "), `(${skipped} left out)`);
  console.log(`${deaths} deaths, ${messages} Socket.IO messages`);
  console.log(`The primary: descriptors ${descriptors.join(" → ")}, heap ${heapMb.join(" → ")} MB`);
  console.log(violations.length === 0 ? "No violation." : `${violations.length} violations, seed ${seed}: ${folder}`);
  for (const violation of violations.slice(0, 20)) console.log(`  ${violation}`);
}
