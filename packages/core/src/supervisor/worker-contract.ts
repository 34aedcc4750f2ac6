import type { ChildProcess } from "node:child_process";
import type { Announcement, Reach, WorkerFailure, WorkerFault, WorkerVitals } from "../ipc/messages.ts";
import type { ProfileFacts, ProfileOrder } from "../ipc/profile-messages.ts";
import type { Address, Endpoint } from "../model/endpoint.ts";
import type { LbError } from "../model/errors.ts";
import type { Edition } from "./edition.ts";

/** A profile, before it has its number. */
export type WantedProfile = Omit<ProfileOrder, "id">;

/** Which worker is to be started, and where. */
export interface WorkerStart {
  /** The incarnation that it will be. */
  readonly endpoint: Endpoint;
  /** Where it listens, which may be a spare port while another worker has the slot's own. */
  readonly port: number;
  readonly ownPort: number;
  /** What the apps take for it, if the front listens on no port. */
  readonly publicPort: number;
  /** It is to take another one's place, and is put to the test by that replacement. */
  readonly isSuccessor: boolean;
  readonly edition: Edition;
}

/** What a supervisor's workers are: processes with our agent in them, or any program. */
export interface WorkerKind {
  /**
   * Its workers hear what they are told: to open another port, what becomes of the others, to end when they have answered. One that
   * does not listens where it was started for as long as it lives, and hears signals alone.
   */
  readonly hears: boolean;
  /** Where the worker of this endpoint will take traffic. */
  addressOf(endpointId: string, port: number): Address;
  launch(start: WorkerStart, observer: WorkerObserver): WorkerProcess;
  /** The process of this endpoint is gone: what was made for it is removed. */
  ended(endpointId: string): void;
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
  /** What may be the reason, where that can be told; a sentence. */
  readonly advice?: string;
}

/** Metrics of an app's own, as the answer to being asked so manieth times; 0: unasked, before its end. */
export interface ToldMetrics {
  readonly asked: number;
  readonly text: string;
}

/** Told what becomes of one worker. Nothing is called before `launch` returned, nor after `workerExited`. */
export interface WorkerObserver {
  workerReady(reach: Reach): void;
  workerFailed(failure: WorkerFailure): void;
  /** It is not killed yet; `why` is what is known of it, the middle of a sentence. */
  workerStartTimedOut(why: string): void;
  /** It starts for so long that somebody may wonder: why, as far as it is known. */
  workerStartsSlowly(why: string): void;
  workerRetiring(): void;
  workerVitals(vitals: WorkerVitals): void;
  /** Its app has metrics of its own; `told`: these are they, as `ipc/app-metrics.ts` reads them. */
  workerMetrics(told: ToldMetrics | undefined): void;
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

/** One worker, from its start to its exit. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** The process, for whoever hands connections to it; undefined if it could not be made. */
  readonly child: ChildProcess | undefined;
  /** Lets it finish what is in flight; it is killed when it is still there a little after `graceMs`. */
  drain(graceMs: number): void;
  /** Has it listen on this port as well, which its predecessor in the slot has left; asked of workers alone that hear. */
  openPort(port: number): void;
  tell(announcement: Announcement): void;
  /** Gives the app a message (`process.on("message")`). False: there is no channel any more. */
  send(message: unknown): boolean;
  /**
   * Has it take a profile of its process.
   *
   * @throws LbError `LB_PROFILE_IMPOSSIBLE`, `LB_PROFILE_FAILED`; `LB_PROFILE_LOST` if it ends before
   */
  profile(wanted: WantedProfile): Promise<ProfileFacts>;
  /** Gives it a signal of the operator's. False: there is no process. */
  signal(signal: NodeJS.Signals): boolean;
  /** SIGTERM, and SIGKILL if that does not help. */
  terminate(): void;
  kill(): void;
}
