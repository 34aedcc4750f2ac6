import type { WorkerFault, WorkerVitals } from "../ipc/messages.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { LbError } from "../model/errors.ts";
import type { ToldMetrics } from "./worker-contract.ts";

/**
 * Why a worker's process ended:
 * - `crashed`: by itself, whatever its exit code, while it was to serve or to start;
 * - `done`: by itself, with an exit code by which it has done its work;
 * - `start-failed`, `start-timeout`: we ended it, because it said or showed that it would not be ready;
 * - `retired`: it was asked to end by a signal from outside, and drained first;
 * - `replaced`: a new worker has taken its place, and it drained first;
 * - `rolled-back`: it was to take a place, and something was wrong with it;
 * - `scaled-down`: the cluster needs fewer instances;
 * - `stopped`: the cluster is closing.
 */
export type ExitReason =
  | "crashed"
  | "done"
  | "start-failed"
  | "start-timeout"
  | "retired"
  | "replaced"
  | "rolled-back"
  | "scaled-down"
  | "stopped";

/** Which worker an event is about. */
export interface OfWorker {
  /** The app's `INSTANCE_ID`, 1…N. */
  readonly instance: number;
  /** Absent when the process could not even be made. */
  readonly pid: number | undefined;
}

/** A worker's process has ended. Unless the cluster is closing, a start follows under the restart policy. */
export interface ExitEvent extends OfWorker {
  readonly kind: "exit";
  readonly reason: ExitReason;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** A new process is started in its place so much later; absent where none is, or where one is there already. */
  readonly restartInMs?: number;
}

/** A start ended in an error. It is tried again under the restart policy. */
export interface StartFailedEvent extends OfWorker {
  readonly kind: "start-failed";
  readonly error: LbError;
}

/** Too many deaths in a row. The instance is tried again, but slowly. */
export interface CrashLoopEvent {
  readonly kind: "crash-loop";
  readonly instance: number;
  readonly deaths: number;
  readonly retryInMs: number;
}

/** A worker has been silent for so long that it gets no new traffic: blocked, stopped, or starved of processor time. */
export interface UnresponsiveEvent extends OfWorker {
  readonly kind: "unresponsive";
  readonly silentMs: number;
}

/** It was unresponsive, and speaks again. */
export interface ResponsiveEvent extends OfWorker {
  readonly kind: "responsive";
}

/** A worker starts, and is not ready after a while. */
export interface StartHintEvent extends OfWorker {
  readonly kind: "start-hint";
  /** What is known of it, as the middle of a sentence. */
  readonly why: string;
}

/** What a worker wrote to its channel cannot be read. It is killed and replaced. */
export interface BrokenEvent extends OfWorker {
  readonly kind: "broken";
  readonly error: LbError;
}

/** The app in a worker called `process.send`. */
export interface MessageEvent extends OfWorker {
  readonly kind: "message";
  readonly message: unknown;
}

/** A worker sent something under our own mark that is no message. */
export interface MessageDroppedEvent extends OfWorker {
  readonly kind: "message-dropped";
}

/** The library's own code in a worker failed. It was caught: what it was about ended, e.g. a connection, and the app goes on. */
export interface AgentFaultEvent extends OfWorker, WorkerFault {
  readonly kind: "agent-fault";
}

/** What happens in the slots, in the order in which it happens. */
export type WorkerEvent =
  | ({ readonly kind: "starting" | "ready" | "draining" } & OfWorker)
  | ResponsiveEvent
  | StartHintEvent
  | UnresponsiveEvent
  | ExitEvent
  | StartFailedEvent
  | CrashLoopEvent
  | BrokenEvent
  | MessageEvent
  | MessageDroppedEvent
  | AgentFaultEvent;

/** Who takes traffic has changed, or who lingers. */
export interface RosterEvent {
  readonly kind: "roster";
  readonly taking: readonly Endpoint[];
  /** If sessions are kept: held back, silent or draining, and still living. */
  readonly lingering: readonly Endpoint[];
}

/** A worker told how it is. */
export interface VitalsEvent {
  readonly kind: "vitals";
  readonly endpoint: Endpoint;
  readonly vitals: WorkerVitals;
}

/** The app in a worker has metrics of its own; with `told`: these. */
export interface MetricsEvent {
  readonly kind: "metrics";
  readonly endpoint: Endpoint;
  readonly told: ToldMetrics | undefined;
}

/**
 * Of a worker that was ready:
 * - `doomed`: it is ended on an order, ours or a signal's; when it is gone, nothing that it did was the cause;
 * - `ended`: its process is gone.
 */
export interface FateEvent {
  readonly kind: "doomed" | "ended";
  readonly endpoint: Endpoint;
}

/** What others want to know, and not what is for those alone who route requests or watch vitals. */
export function isWorkerEvent(event: SupervisorEvent): event is WorkerEvent {
  return !["roster", "vitals", "metrics", "doomed", "ended"].includes(event.kind);
}

export type SupervisorEvent = WorkerEvent | RosterEvent | VitalsEvent | MetricsEvent | FateEvent;
