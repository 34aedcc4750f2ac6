import type { Span } from "../model/span.ts";
import type { ProfileOrder, ProfileOutcome } from "./profile-messages.ts";

/** Raised whenever the meaning of a message changes: the two ends then refuse each other instead of guessing. */
export const protocolVersion = 1;

/** Why a worker could not start, as far as it can tell by itself; strings only, since it crosses a JSON channel. */
export interface WorkerFailure {
  /** An `LbError` code. */
  readonly code: string;
  readonly message: string;
  /** Of the error that the app threw, when it was the app's. */
  readonly stack?: string;
}

/** What our own code in a worker failed at. It ended what it was about, a connection as a rule, and nothing else. */
export interface WorkerFault {
  /** What was being done, in a few words. */
  readonly where: string;
  readonly message: string;
  readonly stack?: string;
  /** Faults before this one that were not told, since they came too fast. */
  readonly untold: number;
}

/** What a program did in its start, for whoever wonders why it is not ready. */
export type StartNotice =
  /** It listens: `protocol` says what on, e.g. `"http2"`, and `at` where, e.g. `"port 8443"`. */
  | { readonly kind: "listens"; readonly protocol: string; readonly at: string }
  /** It started a process, which may be what is to listen. */
  | { readonly kind: "runs"; readonly command: string };

/** Longest text in a notice, and the most of them that are kept. */
export const maxNoticeLength = 200;
export const maxNotices = 8;

/** What a worker's agent tells the primary. */
export type WorkerMessage =
  /** `cluster()` was called in the worker; the app's callback runs next. */
  | { readonly type: "hello" }
  /** The program did this before it was ready. */
  | { readonly type: "noticed"; readonly notice: StartNotice }
  /** The app can be reached: over the link, or, if it runs in a process that the worker's has started, on the own port. */
  | { readonly type: "ready"; readonly reach: Reach }
  /** It will never be ready, and another attempt would end the same way. */
  | { readonly type: "failed"; readonly failure: WorkerFailure }
  /** It was asked to end by someone else (SIGTERM) and waits for `drain`: no traffic is routed to it by then. */
  | { readonly type: "retiring" }
  /** It has Engine.IO: requests of sessions are to go where their ids say. Said before the first one can be opened. */
  | { readonly type: "sessions" }
  /** Our own code in it failed, and was caught: the app goes on. */
  | { readonly type: "fault"; readonly fault: WorkerFault }
  /** The app listens on a port besides its own: the primary is to open it for all instances; `shared-port` answers. */
  | { readonly type: "share-port"; readonly place: SharedPlace }
  /** The app listens there no more. */
  | { readonly type: "leave-port"; readonly place: SharedPlace }
  /** The app has metrics of its own, and tells them when it is asked. */
  | { readonly type: "has-metrics" }
  /** Those, as `ipc/app-metrics.ts` reads them, as the answer to `tell-metrics` of that number; 0: before it ends. */
  | { readonly type: "metrics"; readonly asked: number; readonly text: string }
  /** What became of the profile that it was to take. */
  | { readonly type: "profiled"; readonly outcome: ProfileOutcome }
  /** How it is; said again and again. */
  | { readonly type: "vitals"; readonly vitals: Vitals }
  /** Of requests that are sampled; timed by the machine's monotonic clock. `dropped`: there was no room for so many. */
  | { readonly type: "spans"; readonly spans: readonly Span[]; readonly dropped: number };

/** A port that all instances have in common. */
export interface SharedPlace {
  readonly port: number;
  /** As the app asked for it; undefined: it asked for all addresses. */
  readonly host?: string;
}

/** How a process is, as the system sees it, over the time since that was last looked at. */
export interface ProcessVitals {
  /** Processors it used, 1 being one of them all of the time. */
  readonly cpu: number;
  readonly rssBytes: number;
}

/** How a worker is, as far as it is known: an event loop is known of where our agent runs. */
export type WorkerVitals = ProcessVitals & Partial<Vitals>;

/** How a worker's process is, over the time since it last said so. */
export interface Vitals extends ProcessVitals {
  /** Part of the time in which the event loop was busy, 0 to 1. */
  readonly loopUtilization: number;
  /** By how much the event loop was late at worst, in milliseconds. */
  readonly loopLagMs: number;
  readonly heapBytes: number;
  /** Sessions of Engine.IO, Socket.IO's clients, that live in it; absent: it has had none. */
  readonly sessions?: number;
  /** How it reaches the Redis over which its Socket.IO meets others; absent: it has none. */
  readonly redis?: "connecting" | "ready" | "degraded";
}

/**
 * What a worker of hand-off mode sees to itself. It is told by the channel, since there are secrets in it, and an environment
 * can be read from outside.
 */
export interface GateFacts {
  /** Those of the primary, as `options/gate-options.ts` writes and reads them. */
  readonly options: object;
  /** Signs where the affinity names no secret; undefined: nothing is signed. */
  readonly secret?: string | undefined;
}

/** How the primary reaches the app of a worker. */
export type Reach = "link" | "own-port";

/** What the primary tells a worker's agent. */
export type PrimaryMessage =
  /** No traffic is routed to the worker any more: finish what is in flight within `graceMs`, then end. */
  | { readonly type: "drain"; readonly graceMs: number }
  /** The answer to `hello` in hand-off mode. */
  | { readonly type: "gate"; readonly gate: GateFacts }
  /** No request is in flight any more that was routed to the worker. */
  | { readonly type: "unused" }
  /** The worker's predecessor has left its slot's own port: serve there too. */
  | { readonly type: "open-port"; readonly port: number }
  /** The port is open, or what `listen` would have failed with, e.g. `"EADDRINUSE"`. */
  | { readonly type: "shared-port"; readonly place: SharedPlace; readonly errorCode?: string }
  /** Comes with a socket: a connection to that port. */
  | { readonly type: "shared-connection"; readonly place: SharedPlace }
  /** Take a profile of this process; `profiled` answers. */
  | { readonly type: "profile"; readonly order: ProfileOrder }
  | Announcement;

/** What an instance that serves is told of the others, or of all. */
export type Announcement =
  /** Its app's own metrics are asked for, for the so manieth time. */
  | { readonly type: "tell-metrics"; readonly asked: number }
  | ({ readonly type: "peers" } & Peers)
  /** The cluster is about to end, and takes requests until `closing`: readiness checks are to fail. */
  | { readonly type: "ending" }
  /** The cluster ends, and `drain` follows within `graceMs`: sessions may be ended, requests still come. */
  | { readonly type: "closing"; readonly graceMs: number };

/** The instances as they are now, the one that is told included. */
export interface Peers {
  /** They take traffic. */
  readonly taking: readonly Peer[];
  /** They get no new traffic, and serve the sessions that live in them. */
  readonly lingering: readonly Peer[];
}

/** An instance of the cluster as the others may address it. */
export interface Peer {
  /** 1…N, as in `INSTANCE_ID`. */
  readonly id: number;
  /** Where it answers plain HTTP, on the host that all instances have in common. */
  readonly port: number;
  /** Which worker it is, e.g. `"2.3"`: the third one in the second place. */
  readonly endpointId: string;
}

/** Bounds of a failure's strings; the sender cuts to them, the receiver drops what exceeds them. */
export const maxFailureMessageLength = 8_192;
export const maxSecretLength = 128;
export const maxFailureStackLength = 32_768;
