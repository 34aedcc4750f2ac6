import { BlockList, isIPv6 } from "node:net";
import { currentInstance, isEnding, normaliseAddress } from "@lb/core";
import * as v from "valibot";
import type { Answer, Call, Guard } from "../call.ts";
import { systemClock } from "../clock.ts";
import { callback, milliseconds, options, parseOptions } from "../validation.ts";
import { Draining } from "./draining.ts";
import { type Check, type CheckResult, HealthChecks } from "./health-checks.ts";

export interface HealthRouteOptions<Request = unknown> {
  /** What has to work for this process to be ready, by name. A check that throws, rejects or takes too long has failed. */
  readonly checks?: Readonly<Record<string, Check>>;
  /** Where the paths begin. Default `"/health"`. */
  readonly path?: string;
  /** How long one check may take, in milliseconds. Default 2,000. */
  readonly timeoutMs?: number;
  /** For how long a result is good, in milliseconds. Default 1,000. */
  readonly cacheMs?: number;
  /**
   * Who gets to see results, and the reasons of failures, at `/health/detailed`. Default: clients on this machine,
   * according to the socket and to each address in X-Forwarded-For.
   */
  readonly trusts?: (request: Request) => boolean;
  /** Aborted when this process begins to end. An instance of a cluster hears of its drain without. */
  readonly signal?: AbortSignal;
}

const pathRemedy = 'give a path that begins with "/", e.g. "/health"';
const schema = options({
  checks: v.optional(
    v.record(v.string(), callback<Check>("give a function that throws when something is wrong"), "give an object"),
    {},
  ),
  path: v.optional(v.pipe(v.string(pathRemedy), v.regex(/^\/[\x21-\x7e]*[^/]$/, pathRemedy)), "/health"),
  timeoutMs: v.optional(milliseconds(1), 2_000),
  cacheMs: v.optional(milliseconds(0), 1_000),
  trusts: v.optional(callback<(request: unknown) => boolean>("give a function that takes a request")),
  signal: v.optional(v.instance(AbortSignal, "give an AbortSignal")),
});

/**
 * `/live`: the event loop turns. `/ready` and the path itself: all checks pass, and this process is not about to end.
 * `/detailed`: the same with results. 200 or 503.
 *
 * @param requestOf what the framework calls a request
 * @throws OptionError for the first option that cannot be used
 */
export function healthGuard<Request>(input: HealthRouteOptions<Request>, requestOf: (call: Call) => Request): Guard {
  const { checks, path, timeoutMs, cacheMs, trusts, signal } = parseOptions(schema, input);
  const draining = new Draining(signal, systemClock);
  const health = new HealthChecks({ checks, timeoutMs, cacheMs, clock: systemClock });
  const routes: Readonly<Record<string, "live" | "ready" | "detailed">> = {
    [path]: "ready",
    [`${path}/live`]: "live",
    [`${path}/ready`]: "ready",
    [`${path}/detailed`]: "detailed",
  };
  return (call) => {
    const { method } = call.request;
    if (method !== "GET" && method !== "HEAD") return undefined;
    const { target } = call;
    const query = target.indexOf("?");
    const asked = query === -1 ? target : target.slice(0, query);
    // Most requests are for something else, and pay for no more than this.
    if (!asked.startsWith(path) || !Object.hasOwn(routes, asked)) return undefined;
    const route = routes[asked]!;
    if (route === "live") return answerOf(200, { status: "ok" });
    if (isEnding() || draining.forMs() !== undefined) return answerOf(503, { status: "draining" });
    return health.results().then((results) => {
      const failed = results.some(({ status }) => status === "failed");
      const status = failed ? "failed" : "ok";
      const detailed = route === "detailed" && (trusts?.(requestOf(call)) ?? isLocal(call));
      return answerOf(failed ? 503 : 200, detailed ? detailsOf(status, results) : { status });
    });
  };
}

function detailsOf(status: string, results: readonly CheckResult[]): object {
  const instance = currentInstance();
  return {
    status,
    ...(instance === undefined ? {} : { instance: instance.id }),
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    checks: Object.fromEntries(results.map(({ name, ...result }) => [name, result])),
  };
}

function answerOf(status: number, body: object): Answer {
  const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" };
  return { status, headers, body: `${JSON.stringify(body)}\n` };
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** The client is on this machine, and nobody in between says otherwise. */
function isLocal({ request }: Call): boolean {
  const forwarded = String(request.headers["x-forwarded-for"] ?? "");
  const addresses = forwarded === "" ? [] : forwarded.split(",").map((entry) => normaliseAddress(entry.trim()));
  if (request.headers.forwarded !== undefined) return false;
  return [normaliseAddress(request.socket.remoteAddress ?? ""), ...addresses].every((address) =>
    loopback.check(address, isIPv6(address) ? "ipv6" : "ipv4"),
  );
}
