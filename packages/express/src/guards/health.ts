import { createHash, timingSafeEqual } from "node:crypto";
import { BlockList, isIPv6 } from "node:net";
import { currentInstance, isEnding, normaliseAddress } from "@lb/core";
import { callback, milliseconds, options, parseOptions, systemClock, wholeNumber, yesOrNo } from "@lb/core/kit";
import * as v from "valibot";
import type { Answer, Call, Guard } from "../call.ts";
import { Draining } from "./draining.ts";
import { type Check, type CheckResult, HealthChecks } from "./health-checks.ts";
import { HealthPort } from "./health-port.ts";

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
   * Whoever shows this as `Authorization: Bearer …` gets to see results, and the reasons of failures, at
   * `/health/detailed`: at least 16 characters.
   */
  readonly token?: string;
  /**
   * Who gets to see them besides. `"loopback"`: clients on this machine, unless a proxy says that it forwarded for
   * somebody else; behind one that says nothing, that is everybody. Default: nobody.
   */
  readonly trusts?: "loopback" | ((request: Request) => boolean | PromiseLike<boolean>);
  /** Aborted when this process begins to end. An instance of a cluster hears of its drain without. */
  readonly signal?: AbortSignal;
  /** Whether this process is ready before `signalReady()` says so. Default true. */
  readonly startsReady?: boolean;
  /**
   * A port of their own for the paths, which the app does not answer then: a number, on all interfaces, or with a host. What
   * `trusts` gets there is a request of `node:http`.
   */
  readonly listen?: number | { readonly port: number; readonly host?: string };
  /** The status of what is well. Default 200. */
  readonly statusOk?: number;
  /** The status of what is not. Default 503. */
  readonly statusError?: number;
}

/** What the app says of itself. */
export interface Readiness {
  /** From now on this process is ready, if its checks pass. */
  signalReady(): void;
  /** From now on it is not. It goes on with what it is asked. */
  signalNotReady(): void;
  /** Closes the port of `listen`. */
  close(): Promise<void>;
}

export interface Health {
  /** What the app answers; undefined: nothing, there is a port for it. */
  readonly guard: Guard | undefined;
  readonly readiness: Readiness;
}

const pathRemedy = 'give a path that begins with "/", e.g. "/health"';
const tokenRemedy = 'give at least 16 characters, e.g. of "openssl rand -hex 32"';
const port = wholeNumber(0, 65_535);
const schema = options({
  checks: v.optional(
    v.record(v.string(), callback<Check>("give a function that throws when something is wrong"), "give an object"),
    {},
  ),
  path: v.optional(v.pipe(v.string(pathRemedy), v.regex(/^\/[\x21-\x7e]*[^/]$/, pathRemedy)), "/health"),
  timeoutMs: v.optional(milliseconds(1), 2_000),
  cacheMs: v.optional(milliseconds(0), 1_000),
  token: v.optional(v.pipe(v.string(tokenRemedy), v.minLength(16, tokenRemedy))),
  trusts: v.optional(
    v.union(
      [v.literal("loopback"), callback<(request: unknown) => boolean | PromiseLike<boolean>>("give a function")],
      'give "loopback" or a function that takes a request',
    ),
  ),
  signal: v.optional(v.instance(AbortSignal, "give an AbortSignal")),
  startsReady: v.optional(yesOrNo(), true),
  listen: v.optional(
    v.union([port, options({ port, host: v.optional(v.string("give an address")) })], "give a port, or { port, host }"),
  ),
  statusOk: v.optional(wholeNumber(200, 599), 200),
  statusError: v.optional(wholeNumber(200, 599), 503),
});

/**
 * `/live`: the event loop turns. `/ready` and the path itself: all checks pass, and this process is not about to end.
 * `/detailed`: the same with results. 200 or 503, unless the options have others.
 *
 * @throws OptionError for the first option that cannot be used
 */
export function healthOf(input: HealthRouteOptions<never>): Health {
  const settings = parseOptions(schema, input);
  const { checks, path, timeoutMs, cacheMs, token, trusts, signal, listen, statusOk, statusError } = settings;
  let isReady = settings.startsReady;
  const draining = new Draining(signal, systemClock);
  const health = new HealthChecks({ checks, timeoutMs, cacheMs, clock: systemClock });
  const routes: Readonly<Record<string, "live" | "ready" | "detailed">> = {
    [path]: "ready",
    [`${path}/live`]: "live",
    [`${path}/ready`]: "ready",
    [`${path}/detailed`]: "detailed",
  };
  const isTrusted = async (call: Call): Promise<boolean> => {
    if (trusts === undefined) return false;
    return trusts === "loopback" ? isLocal(call) : (await trusts(call.frameworkRequest)) === true;
  };
  const guard: Guard = (call) => {
    const { method } = call.request;
    if (method !== "GET" && method !== "HEAD") return undefined;
    const { target } = call;
    const query = target.indexOf("?");
    const asked = query === -1 ? target : target.slice(0, query);
    // Most requests are for something else, and pay for no more than this.
    if (!asked.startsWith(path) || !Object.hasOwn(routes, asked)) return undefined;
    const route = routes[asked]!;
    if (route === "live") return answerOf(statusOk, { status: "ok" });
    if (isEnding() || draining.forMs() !== undefined) return answerOf(statusError, { status: "draining" });
    if (!isReady) return answerOf(statusError, { status: "not-ready" });
    return health.results().then(async (results) => {
      const failed = results.some(({ status }) => status === "failed");
      const status = failed ? "failed" : "ok";
      const detailed = route === "detailed" && (showsToken(call, token) || (await isTrusted(call)));
      return answerOf(failed ? statusError : statusOk, detailed ? detailsOf(status, results) : { status });
    });
  };
  const own = listen === undefined ? undefined : new HealthPort(guard, listen);
  return {
    guard: own === undefined ? guard : undefined,
    readiness: {
      signalReady: () => {
        isReady = true;
      },
      signalNotReady: () => {
        isReady = false;
      },
      close: async () => own?.close(),
    },
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

/** Takes as long whatever is shown. */
function showsToken({ request }: Call, token: string | undefined): boolean {
  const shown = /^bearer +(\S{1,512})$/i.exec(request.headers.authorization ?? "")?.[1];
  if (token === undefined || shown === undefined) return false;
  const [one, other] = [shown, token].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(one!, other!);
}

/** The client is on this machine, and nobody in between says otherwise. */
function isLocal({ request }: Call): boolean {
  const { forwarded, via, "x-forwarded-for": chain = "", "x-real-ip": real = "" } = request.headers;
  if (forwarded !== undefined || via !== undefined) return false;
  const said = [chain, real].flat().flatMap((list) => (list === "" ? [] : list.split(",")));
  const addresses = [request.socket.remoteAddress ?? "", ...said.map((entry) => entry.trim())].map(normaliseAddress);
  return addresses.every((address) => loopback.check(address, isIPv6(address) ? "ipv6" : "ipv4"));
}
