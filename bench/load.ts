import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Responses that were not 2xx or 3xx, and connection errors. */
  readonly errors: number;
}

export const generator: "wrk" | "autocannon" =
  spawnSync("wrk", ["--version"], { stdio: "ignore" }).error === undefined ? "wrk" : "autocannon";

/** Puts load on `url` from a process of its own. */
export function load(options: LoadOptions): Promise<LoadResult> {
  return generator === "wrk" ? wrk(options) : cannon(options);
}

const run = promisify(execFile);

async function wrk({ url, connections, seconds, headers }: LoadOptions): Promise<LoadResult> {
  const { stdout } = await run("wrk", [
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    "--latency",
    "--timeout",
    "10s",
    ...Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
    url,
  ]);
  const find = (pattern: RegExp) => pattern.exec(stdout);
  const socketErrors = find(/Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/);
  const refused = find(/Non-2xx or 3xx responses: (\d+)/);
  return {
    requestsPerSecond: Number(find(/Requests\/sec:\s+([\d.]+)/)?.[1]),
    requests: Number(find(/(\d+) requests in/)?.[1]),
    p50Ms: milliseconds(find(/50%\s+([\d.]+)(us|ms|s)/)),
    p99Ms: milliseconds(find(/99%\s+([\d.]+)(us|ms|s)/)),
    errors: (socketErrors?.slice(1).reduce((sum, count) => sum + Number(count), 0) ?? 0) + Number(refused?.[1] ?? 0),
  };
}

function milliseconds(match: RegExpExecArray | null): number {
  const factor = { us: 0.001, ms: 1, s: 1_000 }[match?.[2] ?? "ms"] ?? 1;
  return Number(match?.[1]) * factor;
}

async function cannon({ url, connections, seconds, headers }: LoadOptions): Promise<LoadResult> {
  const { default: autocannon } = await import("autocannon");
  const result = await autocannon({ url, connections, duration: seconds, headers: { ...headers } });
  return {
    requestsPerSecond: result.requests.average,
    requests: result.requests.total,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    errors: result.errors + result.non2xx,
  };
}
