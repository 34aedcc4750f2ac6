// pnpm bench turns [--against <checkout>] [--with '{"accessLog":"/dev/null"}'] [--mode handoff] [--case browser] [--rounds 12] [--requests 30000]
//
// What a change or an option costs: clusters that are all up at once, bursts of a fixed number of requests by turns, and the CPU time
// of each process by the scheduler's own clock. `--against` is another checkout, built; `--with` are options that this one is given for
// one of the clusters. Differences of a hundredth can be seen, which those between runs hide.
import { execFileSync, fork } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePorts } from "../packages/core/test/support/free-ports.ts";
import { browser } from "./compare.ts";

const { values } = parseArgs({
  options: {
    against: { type: "string" },
    with: { type: "string", multiple: true, default: [] },
    mode: { type: "string", default: "proxy" },
    case: { type: "string", default: "small" },
    rounds: { type: "string", default: "12" },
    requests: { type: "string", default: "30000" },
    smoke: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

interface Contender {
  readonly name: string;
  readonly checkout: string;
  readonly options: string;
}

interface Running {
  readonly name: string;
  readonly url: string;
  readonly front: number;
  readonly instances: readonly number[];
  /** Microseconds a request, of each burst. */
  readonly spent: { front: number; instances: number }[];
  end(): Promise<void>;
}

const here = join(import.meta.dirname, "..");
const contenders: readonly Contender[] = [
  { name: "this", checkout: here, options: "{}" },
  ...values.with.map((options) => ({ name: `with ${options}`, checkout: here, options })),
  ...(values.against === undefined ? [] : [{ name: values.against, checkout: values.against, options: "{}" }]),
];
const headers: Readonly<Record<string, string>> = values.case === "browser" ? browser : {};
const rounds = values.smoke ? 1 : Number(values.rounds);
const requests = values.smoke ? 500 : Number(values.requests);

const running: Running[] = [];
try {
  for (const contender of contenders) running.push(await start(contender));
  for (let n = 0; n < 2; n++) for (const { url } of running) burst(url);
  for (let round = 0; round < rounds; round++) {
    for (const one of round % 2 === 0 ? running : running.toReversed()) measure(one);
  }
  const rows = running.map(({ name, spent }) => {
    const totals = spent.map(({ front, instances }) => front + instances);
    const [least, lower, median] = [0, 0.25, 0.5].map((part) => quantile(totals, part));
    return {
      name,
      least,
      lower,
      median,
      front: quantile(
        spent.map(({ front }) => front),
        0.25,
      ),
      ratio:
        lower! /
        quantile(
          running[0]!.spent.map(({ front, instances }) => front + instances),
          0.25,
        ),
    };
  });
  if (values.json) console.log(JSON.stringify(rows));
  else {
    console.log(
      `µs of CPU a request, ${values.case}, ${values.mode} mode: ${rounds} bursts of ${requests} each, by turns`,
    );
    console.table(
      rows.map(({ name, ...figures }) => ({
        name,
        ...Object.fromEntries(Object.entries(figures).map(([what, value]) => [what, value?.toFixed(3)])),
      })),
    );
  }
} finally {
  await Promise.all(running.map((one) => one.end()));
}

async function start({ name, checkout, options }: Contender): Promise<Running> {
  const port = await freePorts(4);
  const candidate = join(checkout, "bench/candidates", values.mode === "handoff" ? "lb-handoff.ts" : "lb.ts");
  const child = fork(candidate, {
    cwd: join(checkout, "bench"),
    execArgv: [],
    env: { ...process.env, PORT: String(port), WORKER_PORT: String(port + 1), LB_BENCH_OPTIONS: options },
  });
  const { pids } = await new Promise<{ pids: number[] }>((resolve, reject) => {
    child.once("message", (message) => resolve(message as { pids: number[] }));
    child.once("exit", () => reject(new Error(`${name} did not start`)));
  });
  return {
    name,
    url: `http://127.0.0.1:${port}/55`,
    front: child.pid!,
    instances: pids,
    spent: [],
    end() {
      const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      child.kill("SIGTERM");
      return exited;
    },
  };
}

function burst(url: string): void {
  const given = Object.entries(headers).flatMap(([field, value]) => ["-H", `${field.toLowerCase()}: ${value}`]);
  const output = execFileSync("h2load", ["--h1", "-t1", "-c64", `-n${requests}`, ...given, url], { encoding: "utf8" });
  if (!output.includes(`${requests} succeeded`)) throw new Error(`not all were answered:\n${output}`);
}

function measure({ url, front, instances, spent }: Running): void {
  const before = [microseconds([front]), microseconds(instances)] as const;
  burst(url);
  const after = [microseconds([front]), microseconds(instances)] as const;
  spent.push({ front: (after[0] - before[0]) / requests, instances: (after[1] - before[1]) / requests });
}

/** Of all threads, by the scheduler; ticks would be a hundredth of a second each. */
function microseconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const threads = readdirSync(`/proc/${pid}/task`);
    const spent = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1"));
    return sum + spent.reduce((all, line) => all + Number(line.split(" ")[0]) / 1_000, 0);
  }, 0);
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
}
