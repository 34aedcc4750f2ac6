import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** What is done again and again. */
export interface Load {
  readonly connections: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Requests are POSTs with so long a body. Default: GETs without one. */
  readonly uploadBytes?: number;
  /** Each request comes on a connection of its own, whose TLS session is resumed. Headers are not sent. */
  readonly resumed?: boolean;
  /** Over HTTP/2, so many requests at the same time on each connection (h2load, which tells the mean for the median). */
  readonly streams?: number;
}

export interface LoadOptions extends Load {
  readonly url: string;
  readonly seconds: number;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly requests: number;
  /** NaN: the generator does not say. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Responses that were not 2xx or 3xx, and connection errors. */
  readonly errors: number;
}

export const generator: "wrk" | "autocannon" =
  spawnSync("wrk", ["--version"], { stdio: "ignore" }).error === undefined ? "wrk" : "autocannon";

/** Puts load on `url` from a process of its own. */
export function load(options: LoadOptions): Promise<LoadResult> {
  if (options.resumed === true) return resuming(options);
  if (options.streams !== undefined) return h2load(options, options.streams);
  return generator === "wrk" ? wrk(options) : cannon(options);
}

const run = promisify(execFile);

async function wrk({ url, connections, seconds, headers, uploadBytes }: LoadOptions): Promise<LoadResult> {
  const { stdout } = await run("wrk", [
    ...(uploadBytes === undefined ? [] : ["-s", uploadScript(uploadBytes)]),
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

let folder: string | undefined;

/** For wrk. Gone with this process. */
function uploadScript(bytes: number): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), "lb-bench-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  const file = join(folder, `upload-${bytes}.lua`);
  writeFileSync(file, `wrk.method = "POST"\nwrk.body = string.rep("u", ${bytes})\n`);
  return file;
}

/**
 * With `openssl s_time`, of which each process has one connection at a time: `connections` of them. Fails if a session was not resumed:
 * then something else was measured.
 */
async function resuming({ url, connections, seconds }: LoadOptions): Promise<LoadResult> {
  const { host, pathname } = new URL(url);
  const args = ["s_time", "-connect", host, "-www", pathname, "-reuse", "-time", String(seconds)];
  const outputs = await Promise.all(
    Array.from({ length: connections }, async () => (await run("openssl", args, { maxBuffer: 2 ** 26 })).stdout),
  );
  let requests = 0;
  for (const output of outputs) {
    // It marks each connection: r was resumed, * was not. The first is made to have a session.
    const marks = /starting\n(.*?)\n/s.exec(output.slice(output.lastIndexOf("Now timing")))?.[1] ?? "";
    const full = marks.replace(/[^*]/g, "").length;
    if (full > 0) throw new Error(`${full} sessions were not resumed at ${url}`);
    requests += marks.replace(/[^r]/g, "").length;
  }
  return { requestsPerSecond: requests / seconds, requests, p50Ms: Number.NaN, p99Ms: Number.NaN, errors: 0 };
}

async function h2load({ url, connections, seconds, headers }: LoadOptions, streams: number): Promise<LoadResult> {
  const { stdout } = await run("h2load", [
    ...["-t1", `-c${connections}`, `-m${streams}`, `-D${seconds}`],
    ...Object.entries(headers).flatMap(([name, value]) => ["-H", `${name.toLowerCase()}: ${value}`]),
    url,
  ]);
  const find = (pattern: RegExp) => pattern.exec(stdout);
  const statuses =
    find(/status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/)
      ?.slice(1)
      .map(Number) ?? [];
  const [ok = Number.NaN, moved = 0, refused = 0, failed = 0] = statuses;
  const broken = Number(find(/(\d+) failed, (\d+) errored/)?.[1] ?? 0);
  return {
    requestsPerSecond: (ok + moved) / seconds,
    requests: ok + moved,
    p50Ms: milliseconds(find(/time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)/)),
    p99Ms: Number.NaN,
    errors: refused + failed + broken,
  };
}

function milliseconds(match: RegExpExecArray | null): number {
  const factor = { us: 0.001, ms: 1, s: 1_000 }[match?.[2] ?? "ms"] ?? 1;
  return Number(match?.[1]) * factor;
}

async function cannon({ url, connections, seconds, headers, uploadBytes }: LoadOptions): Promise<LoadResult> {
  const { default: autocannon } = await import("autocannon");
  const upload = uploadBytes === undefined ? {} : { method: "POST" as const, body: Buffer.alloc(uploadBytes, "u") };
  const result = await autocannon({ url, connections, duration: seconds, headers: { ...headers }, ...upload });
  return {
    requestsPerSecond: result.requests.average,
    requests: result.requests.total,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    errors: result.errors + result.non2xx,
  };
}
