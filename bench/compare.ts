// What benchmarks of requests have in common: candidates take turns, round after round, so that a machine that slows down
// slows all of them; what counts are the ratios.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Candidate, Running } from "./candidates.ts";
import { cpuMicroseconds } from "./cpu.ts";
import { generator, type Load, type LoadResult, load } from "./load.ts";

export interface Case extends Load {
  readonly name: string;
  /** Default: the name. */
  readonly title?: string;
  readonly path: string;
}

/** What Chrome sends, about 700 bytes. */
export const browser = {
  Connection: "keep-alive",
  "sec-ch-ua": '"Chromium";v="141", "Not?A_Brand";v="8", "Google Chrome";v="141"',
  "sec-ch-ua-mobile": "?0",
  "sec-ch-ua-platform": '"Linux"',
  "Upgrade-Insecure-Requests": "1",
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  "Sec-Fetch-Site": "same-origin",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Dest": "document",
  "Accept-Encoding": "gzip, deflate, br, zstd",
  "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
  Cookie: "session=3f9a1c7be2; theme=dark",
};

interface Row extends LoadResult {
  readonly case: string;
  readonly candidate: string;
  readonly cpuMicrosecondsPerRequest: number;
  readonly frontCpuMicrosecondsPerRequest: number;
}

async function measure(
  candidate: Candidate,
  running: Running,
  { name, title = name, path, ...how }: Case,
  { seconds, isSmoke }: { readonly seconds: number; readonly isSmoke: boolean },
): Promise<Row> {
  const options = { url: running.url + path, ...how };
  // Where nobody looks at the figures, none of the time goes into warming up.
  if (!isSmoke) await load({ ...options, seconds: 1 });
  const cpu = cpuMicroseconds(running.pids);
  const frontCpu = cpuMicroseconds([running.frontPid]);
  const result = await load({ ...options, seconds });
  return {
    case: title,
    candidate: candidate.name,
    ...result,
    cpuMicrosecondsPerRequest: (cpuMicroseconds(running.pids) - cpu) / result.requests,
    frontCpuMicrosecondsPerRequest: (cpuMicroseconds([running.frontPid]) - frontCpu) / result.requests,
  };
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;

function summarise(rows: readonly Row[]): Row {
  const of = (read: (row: Row) => number) => median(rows.map(read));
  return {
    ...rows[0]!,
    requestsPerSecond: of((row) => row.requestsPerSecond),
    requests: rows.reduce((sum, row) => sum + row.requests, 0),
    p50Ms: of((row) => row.p50Ms),
    p99Ms: of((row) => row.p99Ms),
    errors: rows.reduce((sum, row) => sum + row.errors, 0),
    cpuMicrosecondsPerRequest: of((row) => row.cpuMicrosecondsPerRequest),
    frontCpuMicrosecondsPerRequest: of((row) => row.frontCpuMicrosecondsPerRequest),
  };
}

function table(name: string, rows: readonly Row[]): string {
  const ours = rows.find(({ candidate }) => candidate === "lb")?.requestsPerSecond ?? Number.NaN;
  return [
    `### ${name}`,
    "",
    "| candidate | req/s | lb is × | p50 ms | p99 ms | CPU µs/req | of it front | errors |",
    "|---|---|---|---|---|---|---|---|",
    ...rows.map(
      (row) =>
        `| ${row.candidate} | ${Math.round(row.requestsPerSecond)} | ${(ours / row.requestsPerSecond).toFixed(2)} | ${shown(row.p50Ms)} | ${shown(row.p99Ms)} | ${row.cpuMicrosecondsPerRequest.toFixed(1)} | ${row.frontCpuMicrosecondsPerRequest.toFixed(1)} | ${row.errors} |`,
    ),
    "",
  ].join("\n");
}

/** The kernel's scheduler takes the processes of a session for one. It made `close-64` dearer by a fifth. */
function autogroups(): boolean {
  try {
    return readFileSync("/proc/sys/kernel/sched_autogroup_enabled", "utf8").trim() === "1";
  } catch {
    return false;
  }
}

/** Not every load generator says how long its requests took. */
const shown = (ms: number): string => (Number.isNaN(ms) ? "–" : ms.toFixed(2));

export interface Comparison {
  readonly available: readonly Candidate[];
  readonly missing: readonly string[];
  readonly cases: readonly Case[];
  /** The one case of a smoke run. */
  readonly smokeCase: string;
}

/** Runs comparisons, one after the other, as the command line asks for, and prints them. */
export async function compare(...comparisons: readonly Comparison[]): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      seconds: { type: "string", default: "5" },
      rounds: { type: "string", default: "3" },
      only: { type: "string" },
      cases: { type: "string" },
    },
  });
  const seconds = flags.smoke ? 1 : Number(flags.seconds);
  const rounds = flags.smoke ? 1 : Number(flags.rounds);
  const print = flags.json ? console.error : console.log;
  print(`load: ${generator}, ${seconds} s a measurement, median of ${rounds} interleaved round(s)`);
  if (autogroups()) {
    print(
      "sched_autogroup is on, and shares processors by session: ours start instances in sessions of their own, others",
    );
    print("do not, so they are not compared alike. sysctl kernel.sched_autogroup_enabled=0 has it off.");
  }

  const results: Row[] = [];
  for (const { available, missing, cases, smokeCase } of comparisons) {
    if (missing.length > 0) print(`not on this machine, left out: ${missing.join(", ")}`);
    const chosen = available.filter(({ name }) => flags.only?.split(",").includes(name) ?? true);
    const chosenCases = cases.filter(
      ({ name }) => flags.cases?.split(",").includes(name) ?? (!flags.smoke || name === smokeCase),
    );
    const running = new Map<Candidate, Running>();
    try {
      for (const candidate of chosen) running.set(candidate, await candidate.start());
      for (const benchCase of chosenCases) {
        const rows = new Map<Candidate, Row[]>(chosen.map((candidate) => [candidate, []]));
        for (let round = 0; round < rounds; round++) {
          for (const [candidate, instance] of running)
            rows.get(candidate)!.push(await measure(candidate, instance, benchCase, { seconds, isSmoke: flags.smoke }));
        }
        const summary = [...rows.values()].map(summarise);
        results.push(...summary);
        print(table(benchCase.title ?? benchCase.name, summary));
      }
    } finally {
      await Promise.all([...running.values()].map((instance) => instance.stop()));
    }
  }
  if (flags.json) console.log(JSON.stringify(results, undefined, 2));
  // A candidate that answers with errors was not measured, ours least of all.
  const wrong = results.filter(
    ({ candidate, errors, requests }) => (candidate === "lb" && errors > 0) || !(requests > 0),
  );
  if (wrong.length > 0) {
    print(`errors in: ${wrong.map((row) => `${row.case}/${row.candidate}`).join(", ")}`);
    process.exitCode = 1;
  }
}
