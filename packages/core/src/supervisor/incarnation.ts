import type { ChildProcess } from "node:child_process";
import type { Announcement, Reach, WorkerFailure, WorkerFault, WorkerVitals } from "../ipc/messages.ts";
import type { ProfileFacts } from "../ipc/profile-messages.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { LbError } from "../model/errors.ts";
import type { StartError } from "../model/start-error.ts";
import type { Edition } from "./edition.ts";
import type { ExitReason, OfWorker } from "./events.ts";
import { reportedFailure, startTimeout } from "./start-errors.ts";
import type { ToldMetrics, WantedProfile, WorkerExit, WorkerObserver, WorkerProcess } from "./worker-contract.ts";

/** Why we end a worker. */
export type EndReason = Exclude<ExitReason, "crashed" | "done">;

export type Phase =
  | { readonly kind: "starting" }
  | { readonly kind: "ready"; readonly since: number }
  /** It lost its channel; it is not asked for anything any more, its end is awaited. */
  | { readonly kind: "lost"; readonly servedMs: number }
  | { readonly kind: "ending"; readonly reason: EndReason; readonly served: boolean }
  | { readonly kind: "exited" };

export interface IncarnationOptions {
  readonly endpoint: Endpoint;
  readonly edition: Edition;
  /** Its `PORT`. */
  readonly port: number;
  /** It hears what it is told; see {@link WorkerKind}. */
  readonly hears: boolean;
  /** With which of them it has done its work when it ends by itself. */
  readonly stopExitCodes: readonly number[];
  readonly startTimeoutMs: number;
  readonly clock: Clock;
  readonly launch: (observer: WorkerObserver) => WorkerProcess;
  readonly observer: IncarnationObserver;
}

export interface IncarnationObserver {
  ready(): void;
  /** It is being ended already. A time-out may pass; what the worker reported itself will not. */
  startFailed(error: StartError, cause: "reported" | "timeout"): void;
  /** It has been starting for a while; `why` is what is known. */
  startsSlowly(why: string): void;
  /** It was asked to end by somebody else, and waits for the drain. */
  retiring(): void;
  /** It was ready, and takes no traffic any more: its end has begun, or its channel is gone. Told before it drains. */
  leftService(): void;
  /** It is ended, by drain or by force, on an order. May be told again. */
  doomed(): void;
  message(message: unknown): void;
  /** It sent what is no message, under our own mark. */
  messageDropped(): void;
  /** It does not keep to what is agreed on; it is killed. */
  broken(error: LbError): void;
  /** Our own code in it failed, and was caught. */
  fault(fault: WorkerFault): void;
  /** Its app has metrics of its own, or told them. */
  metrics(told: ToldMetrics | undefined): void;
  /** It told how it is. */
  beat(vitals: WorkerVitals): void;
  exited(exit: IncarnationExit): void;
}

export interface IncarnationExit extends WorkerExit {
  readonly reason: ExitReason;
  /** From ready to the end of its service; 0 for one that never was ready, or whose end was ours. */
  readonly servedMs: number;
}

/** What others than its slot may know of it, and do to it. */
export type KnownWorker = Pick<Incarnation, "port" | "reach" | "child" | "who" | "lost" | "discard" | "profile">;

/** One worker of a slot, from its launch to its exit. */
export class Incarnation {
  readonly endpoint: Endpoint;
  readonly edition: Edition;
  readonly port: number;
  /** How its app is reached, once it is ready. */
  reach: Reach = "link";
  /** What it last told of itself. */
  vitals: WorkerVitals | undefined;
  readonly #options: IncarnationOptions;
  readonly #worker: WorkerProcess;
  #phase: Phase = { kind: "starting" };

  constructor(options: IncarnationOptions) {
    this.endpoint = options.endpoint;
    this.edition = options.edition;
    this.port = options.port;
    this.#options = options;
    const { observer } = options;
    this.#worker = options.launch({
      workerReady: (reach) => {
        this.reach = reach;
        this.#ready();
      },
      workerFailed: (failure) => this.#failed(failure),
      workerStartTimedOut: (why) => this.#timedOut(why),
      workerStartsSlowly: (why) => observer.startsSlowly(why),
      workerRetiring: () => {
        if (this.#phase.kind === "ready") observer.retiring();
      },
      workerVitals: (vitals) => {
        this.vitals = vitals;
        observer.beat(vitals);
      },
      workerMetrics: (told) => observer.metrics(told),
      workerFault: (fault) => observer.fault(fault),
      workerMessage: (message) => observer.message(message),
      workerMessageDropped: () => observer.messageDropped(),
      workerBroken: (error) => {
        observer.broken(error);
        // Not by our will: what it was doing may have made it do that.
        this.#worker.kill();
      },
      workerDetached: () => this.lost(),
      workerExited: (exit) => this.#exited(exit),
    });
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** It became ready, its process has neither ended nor been lost since, and it would take a request. */
  get isLiving(): boolean {
    const phase = this.#phase;
    // One that only hears signals ends when the last request is answered, whoever comes then.
    return phase.kind === "ready" || (phase.kind === "ending" && phase.served && this.#options.hears);
  }

  get child(): ChildProcess | undefined {
    return this.#worker.child;
  }

  get pid(): number | undefined {
    return this.#worker.pid;
  }

  /** As events name it. */
  get who(): OfWorker {
    return { instance: this.#instance, pid: this.pid };
  }

  /** As users get to see it. */
  get state(): "starting" | "ready" | "draining" | "stopped" {
    return publicState(this.#phase);
  }

  /** Since it became ready; 0 when it is not. */
  get uptimeMs(): number {
    return this.#phase.kind === "ready" ? this.#options.clock.now() - this.#phase.since : 0;
  }

  /** Drains it if it serves, ends it if it does not; what is ending already gets the new grace. */
  end(reason: EndReason, graceMs: number): void {
    const phase = this.#phase;
    switch (phase.kind) {
      case "starting":
        this.#phase = { kind: "ending", reason, served: false };
        this.#worker.terminate();
        return;
      case "ready":
        this.#phase = { kind: "ending", reason, served: true };
        this.#options.observer.doomed();
        this.#options.observer.leftService();
        this.#worker.drain(graceMs);
        return;
      case "lost":
        this.#worker.drain(graceMs);
        return;
      case "ending":
        if (phase.served) this.#worker.drain(graceMs);
        return;
      case "exited":
        return;
    }
  }

  /** Opens the slot's own port as well, which its predecessor has left. */
  openPort(port: number): void {
    this.#worker.openPort(port);
  }

  /** False: it is not ready, and not told. */
  tell(announcement: Announcement): boolean {
    if (this.#phase.kind !== "ready") return false;
    this.#worker.tell(announcement);
    return true;
  }

  /** False: it serves nobody, or cannot hear any more. */
  send(message: unknown): boolean {
    return this.#phase.kind === "ready" && this.#worker.send(message);
  }

  /** @throws LbError `LB_PROFILE_…` */
  profile(wanted: WantedProfile): Promise<ProfileFacts> {
    return this.#worker.profile(wanted);
  }

  /** False: there is no process. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#worker.signal(signal);
  }

  kill(): void {
    this.#options.observer.doomed();
    this.#worker.kill();
  }

  /** It showed itself broken: it is killed, and replaced as after a crash. Nothing happens if it is ending already. */
  discard(): void {
    if (this.#phase.kind === "ready") this.kill();
  }

  /** The process or its channel is gone: no traffic is for it, and its end will be told. */
  lost(): void {
    if (this.#phase.kind !== "ready") return;
    this.#phase = { kind: "lost", servedMs: this.uptimeMs };
    this.#options.observer.leftService();
  }

  #ready(): void {
    if (this.#phase.kind !== "starting") return;
    this.#phase = { kind: "ready", since: this.#options.clock.now() };
    this.#options.observer.ready();
  }

  #failed(failure: WorkerFailure): void {
    this.#startFailed("start-failed", reportedFailure(this.#instance, failure), "reported");
  }

  #timedOut(why: string): void {
    const { startTimeoutMs } = this.#options;
    const error = startTimeout({ instance: this.#instance, startTimeoutMs, why });
    this.#startFailed("start-timeout", error, "timeout");
  }

  #startFailed(reason: EndReason, error: StartError, cause: "reported" | "timeout"): void {
    if (this.#phase.kind !== "starting") return;
    this.end(reason, 0);
    this.#options.observer.startFailed(error, cause);
  }

  #exited(exit: WorkerExit): void {
    this.lost();
    const phase = this.#phase;
    this.#phase = { kind: "exited" };
    this.#options.observer.exited({
      ...exit,
      reason: phase.kind === "ending" ? phase.reason : this.#byItself(exit),
      servedMs: phase.kind === "lost" ? phase.servedMs : 0,
    });
  }

  #byItself({ exitCode }: WorkerExit): "crashed" | "done" {
    return exitCode !== null && this.#options.stopExitCodes.includes(exitCode) ? "done" : "crashed";
  }

  get #instance(): number {
    return this.endpoint.slot + 1;
  }
}

function publicState(phase: Phase): Incarnation["state"] {
  switch (phase.kind) {
    case "starting":
    case "ready":
      return phase.kind;
    case "lost":
      return "draining";
    case "ending":
      return phase.served ? "draining" : "stopped";
    case "exited":
      return "stopped";
  }
}
