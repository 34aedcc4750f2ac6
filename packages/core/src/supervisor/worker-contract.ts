import type { ChildProcess } from "node:child_process";
import type {
  Announcement,
  GateFacts,
  Reach,
  StartNotice,
  Vitals,
  WorkerFailure,
  WorkerFault,
} from "../ipc/messages.ts";
import type { LbError } from "../model/errors.ts";
import type { SharedPorts } from "./shared-ports.ts";
import type { MissingStep } from "./why-not-ready.ts";
import type { WorkerEntry } from "./worker-entry.ts";
import type { WorkerOutput } from "./worker-output.ts";

export interface WorkerSpec {
  /** The incarnation that the process will be. */
  readonly endpointId: string;
  readonly entry: WorkerEntry;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly startTimeoutMs: number;
  /** Told to a worker of hand-off mode by its channel. */
  readonly gate: GateFacts | undefined;
  /** The app says itself when it is ready, by `process.send("ready")`. */
  readonly waitReady: boolean;
  /** Gets what it writes; undefined: it writes where this process does. */
  readonly output: WorkerOutput | undefined;
  /** Begins to ask an app that listens whether it can answer; undefined: that is taken for granted. */
  readonly firstProbe: (() => FirstProbe) | undefined;
  /** Resolves when no request is in flight on the worker that was routed to it. */
  readonly unused: () => Promise<void>;
  /** Where it opens ports that it shares with the others. */
  readonly sharedPorts: SharedPorts;
  /** What a worker that lost its primary gives itself to drain. */
  readonly drainTimeoutMs: number;
  /** Called when it says that it has Engine.IO. */
  readonly keepsSessions: () => void;
}

/** Asks an app whether it can answer, until it can. */
export interface FirstProbe {
  readonly passed: Promise<void>;
  /** What came of the last attempt: the end of a sentence. */
  readonly found: string;
  stop(): void;
}

export interface WorkerExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The process could not be made. */
  readonly spawnError: Error | undefined;
}

/** Told what becomes of one worker. Nothing is called before `launchWorker` returned, nor after `workerExited`. */
export interface WorkerObserver {
  workerReady(reach: Reach): void;
  workerFailed(failure: WorkerFailure): void;
  /** It is not killed yet. */
  workerStartTimedOut(missing: MissingStep, notices: readonly StartNotice[]): void;
  /** It starts for so long that somebody may wonder: why, as far as it is known. */
  workerStartsSlowly(why: string): void;
  workerRetiring(): void;
  workerVitals(vitals: Vitals): void;
  /** Our own code in it failed, and was caught. */
  workerFault(fault: WorkerFault): void;
  workerMessage(message: unknown): void;
  /** A message came under our own wrapping that is none, or another version's. */
  workerMessageDropped(): void;
  /** What it wrote to its channel cannot be read, and nothing is read any more. It is to be killed. */
  workerBroken(error: LbError): void;
  /** The process or its channel is gone: nothing may be routed to it, though it may still be ending. */
  workerDetached(): void;
  workerExited(exit: WorkerExit): void;
}

/** One worker process, from fork to exit. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** The process, for whoever hands connections to it; undefined if it could not be made. */
  readonly child: ChildProcess | undefined;
  /** Lets it finish what is in flight; it is killed when it is still there a little after `graceMs`. */
  drain(graceMs: number): void;
  /** Has it listen on this port as well, which its predecessor in the slot has left. */
  openPort(port: number): void;
  tell(announcement: Announcement): void;
  /** Gives the app a message (`process.on("message")`). False: there is no channel any more. */
  send(message: unknown): boolean;
  /** SIGTERM, and SIGKILL if that does not help. */
  terminate(): void;
  kill(): void;
}
