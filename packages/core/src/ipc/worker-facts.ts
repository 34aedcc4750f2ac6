import { protocolVersion } from "./messages.ts";

/** The one private variable in a worker's environment; the worker deletes it as soon as it has read it. */
export const workerFactsVariable = "LB_WORKER";

/**
 * How far the events of Socket.IO servers are to reach:
 * - `join`: the clients of all instances, where `@lb/socket` is installed;
 * - `warn`: it is the app's affair, and said where it does nothing about it;
 * - `leave`: it is the app's affair.
 */
export const eventReaches = ["join", "warn", "leave"] as const;
export type EventReach = (typeof eventReaches)[number];

/** What tells an app that it is to end: a signal of which it has a handler, or PM2's `message` with the text `shutdown`. */
export const stopSignals = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR2", "message"] as const;
export type StopSignal = (typeof stopSignals)[number];

/** What a worker must know before it can say anything to the primary. */
export interface WorkerFacts {
  /** The incarnation this process is, e.g. `"2.1"`: second slot, first worker in it. */
  readonly endpointId: string;
  /** 0-based; the app's `INSTANCE_ID` is one more. */
  readonly slot: number;
  /** Where the front's traffic arrives. */
  readonly intakePath: string;
  /** Where the primary connects the instances with one another. */
  readonly hubPath: string;
  /** Where the instance listens for direct traffic. */
  readonly host: string;
  readonly port: number;
  /** The slot's own port, which is what the app is told: another one while its predecessor still has that. */
  readonly ownPort: number;
  readonly publicPort: number;
  readonly primaryPid: number;
  /** Deadline of a drain that nobody ordered, because the primary is gone. */
  readonly drainTimeoutMs: number;
  readonly stopSignal: StopSignal;
  /** How often it tells how it is, in milliseconds; 0: never. */
  readonly heartbeatMs: number;
  /** What it writes goes to the primary, and nowhere once that is gone. */
  readonly pipedOutput: boolean;
  /** Connections are handed to the worker; its private socket is for other workers. What it has to see to comes by the channel. */
  readonly handoff: boolean;
  /** What the worker's Engine.IO session ids have to begin with; undefined: nothing goes by them. */
  readonly sessionPrefix?: string | undefined;
  /** Undefined: Socket.IO is left alone altogether. */
  readonly events?: EventReach | undefined;
  /** The field by which requests have their ids; undefined: they have none. */
  readonly requestIdHeader?: string | undefined;
  /** The app's own metrics are asked for; undefined: they are left alone. */
  readonly appMetrics?: true | undefined;
  /** It makes spans of requests that are sampled. */
  readonly traced: boolean;
  /** It serves nobody (`kind: "worker"`). Undefined: it is to listen. */
  readonly unserving?: UnservingFacts | undefined;
}

/** Of an instance that gets no requests. */
export interface UnservingFacts {
  /** It is ready when it has run for so long, in milliseconds. */
  readonly readyAfterMs: number;
  /** With which exit codes it has done its work, before it is ready too. */
  readonly stopExitCodes: readonly number[];
}

export function encodeWorkerFacts(facts: WorkerFacts): string {
  return JSON.stringify({ version: protocolVersion, ...facts });
}

/** `undefined`: not written by this version of the library, or not by it at all. */
export function decodeWorkerFacts(text: string): WorkerFacts | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof raw !== "object" || raw === null) return undefined;
  const {
    version,
    endpointId,
    slot,
    intakePath,
    hubPath,
    host,
    port,
    ownPort,
    publicPort,
    primaryPid,
    drainTimeoutMs,
    stopSignal,
    heartbeatMs,
    pipedOutput,
    handoff,
    sessionPrefix,
    events,
    requestIdHeader,
    appMetrics,
    traced,
    unserving,
  } = raw as {
    [Key in keyof WorkerFacts | "version"]?: unknown;
  };
  if (version !== protocolVersion || typeof endpointId !== "string" || !isCount(slot)) return undefined;
  if (typeof handoff !== "boolean" || typeof pipedOutput !== "boolean" || !isCount(heartbeatMs)) return undefined;
  if (typeof intakePath !== "string" || typeof host !== "string") return undefined;
  if (typeof hubPath !== "string") return undefined;
  if (![port, ownPort, publicPort].every(isPort)) return undefined;
  if (!isCount(primaryPid) || !isCount(drainTimeoutMs) || !isStopSignal(stopSignal)) return undefined;
  if (sessionPrefix !== undefined && (typeof sessionPrefix !== "string" || !/^[\w-]{1,64}$/.test(sessionPrefix))) {
    return undefined;
  }
  if (events !== undefined && !eventReaches.includes(events as EventReach)) return undefined;
  if (requestIdHeader !== undefined && typeof requestIdHeader !== "string") return undefined;
  if (appMetrics !== undefined && appMetrics !== true) return undefined;
  if (typeof traced !== "boolean") return undefined;
  if (unserving !== undefined && !isUnserving(unserving)) return undefined;
  const facts = {
    endpointId,
    slot,
    intakePath,
    hubPath,
    host,
    port: port as number,
    ownPort: ownPort as number,
    publicPort: publicPort as number,
    primaryPid,
    drainTimeoutMs,
    stopSignal,
    heartbeatMs,
    pipedOutput,
    handoff,
    traced,
  };
  return {
    ...facts,
    ...(sessionPrefix === undefined ? {} : { sessionPrefix }),
    ...(events === undefined ? {} : { events: events as EventReach }),
    ...(requestIdHeader === undefined ? {} : { requestIdHeader }),
    ...(appMetrics === undefined ? {} : { appMetrics }),
    ...(unserving === undefined ? {} : { unserving }),
  };
}

function isUnserving(value: unknown): value is UnservingFacts {
  if (typeof value !== "object" || value === null) return false;
  const { readyAfterMs, stopExitCodes } = value as { readonly [Name in keyof UnservingFacts]?: unknown };
  return typeof readyAfterMs === "number" && Array.isArray(stopExitCodes) && stopExitCodes.every(isCount);
}

function isPort(value: unknown): boolean {
  return isCount(value) && value <= 65_535;
}

function isStopSignal(value: unknown): value is StopSignal {
  return stopSignals.some((signal) => signal === value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
