import { parseArgs } from "node:util";
import { soak } from "./soak/run.ts";

const usage = `pnpm soak [--minutes N] [--mode proxy|handoff] [--rate R]

A cluster under \`lb start\` with all that shows something on (access log, metrics, admin listener, alerts, TLS, HTTP/2) under a steady load,
with reloads, scaling, rotations and, in proxy mode, kills. At the end what clients have counted, the lines of the log, the metrics and the status
are to be the same, and memory is to be flat. Exits 1 if not. Build first.
  --minutes  how long (default 20)
  --mode     default proxy
  --rate     requests a second of all clients together (default 400)`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "20" },
    mode: { type: "string", default: "proxy" },
    rate: { type: "string", default: "400" },
    help: { type: "boolean", short: "h" },
  },
});

const { mode } = values;
const [minutes, rate] = [Number(values.minutes), Number(values.rate)];
if (values.help || (mode !== "proxy" && mode !== "handoff") || !(minutes > 0) || !(rate > 0)) {
  console.error(usage);
  process.exit(2);
}

const { tallies, brought, memory, violations, folder } = await soak({
  mode,
  seconds: minutes * 60,
  rate,
  said: (line) => console.log(line),
});
console.table(tallies);
console.log(
  Object.entries(brought)
    .map(([what, times]) => `${what} ${times}`)
    .join(", "),
);
console.table(memory);
console.log(
  violations.length === 0 ? "They agree, and memory is flat." : `${violations.length} violations, see ${folder}`,
);
for (const violation of violations) console.log(`  ${violation}`);
process.exit(violations.length > 0 ? 1 : 0);
