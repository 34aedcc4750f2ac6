import type { WorkerFailure } from "../ipc/messages.ts";
import type { Clock, Timer } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { ExitReason, SupervisorEvent } from "./events.ts";
import type { RestartPolicy } from "./restart-policy.ts";
import { crashLoop, reportedFailure, type StartError, startTimeout } from "./start-errors.ts";
import type { WorkerExit, WorkerObserver, WorkerProcess } from "./worker-process.ts";

/** What the supervisor knows of one instance at one moment. */
export interface InstanceSnapshot {
  /** The app's `INSTANCE_ID`, 1…N. */
  readonly id: number;
  readonly port: number;
  /** `null` while the slot has no process. */
  readonly pid: number | null;
  readonly state: "starting" | "ready" | "draining" | "stopped";
  /** Processes that were started in place of an earlier one. */
  readonly restarts: number;
  /** Since the present worker became ready; 0 when it is not. */
  readonly uptimeMs: number;
  /** Messages of the present worker that were not acceptable. */
  readonly droppedMessages: number;
  /** The incarnation that takes traffic now. */
  readonly endpoint: Endpoint | undefined;
}

export interface SlotOptions {
  /** 0-based. */
  readonly slot: number;
  readonly port: number;
  readonly startTimeoutMs: number;
  /** For a worker that was asked from outside to end. */
  readonly drainTimeoutMs: number;
  readonly policy: RestartPolicy;
  readonly clock: Clock;
  /** Makes the endpoint of an incarnation, not yet routable. */
  readonly endpoint: (incarnation: number) => Endpoint;
  readonly launch: (endpoint: Endpoint, observer: WorkerObserver) => WorkerProcess;
  readonly observer: SlotObserver;
}

export interface SlotObserver {
  slotEvent(event: SupervisorEvent): void;
  /** The slot's endpoint came or went. Called before the worker is told to drain. */
  slotRouteChanged(): void;
  /** A start came to nothing. `crashes` and time-outs may pass; what the worker reported itself will not. */
  slotStartFailed(error: StartError, cause: "reported" | "timeout" | "crash-loop"): void;
  /** A process is gone for good. */
  slotExited(endpoint: Endpoint): void;
}

type State =
  /** Nothing runs and nothing will. */
  | { readonly kind: "stopped" }
  /** Nothing runs until the timer fires. */
  | { readonly kind: "waiting"; readonly timer: Timer }
  | { readonly kind: "starting"; readonly worker: WorkerProcess }
  | { readonly kind: "ready"; readonly worker: WorkerProcess; readonly endpoint: Endpoint; readonly since: number }
  /** It lost its channel; it is not asked for anything any more, its end is awaited. */
  | { readonly kind: "lost"; readonly worker: WorkerProcess; readonly servedMs: number }
  /** We are ending it, for a reason that is known. */
  | { readonly kind: "ending"; readonly worker: WorkerProcess; readonly reason: Exclude<ExitReason, "crashed"> };

/** A place for one instance, which outlives the processes in it. */
export class Slot {
  readonly id: number;
  readonly #options: SlotOptions;
  #state: State = { kind: "stopped" };
  #incarnation = 0;
  /** The cluster is closing: no process is started any more. */
  #closing = false;
  #stopped: (() => void)[] = [];

  constructor(options: SlotOptions) {
    this.id = options.slot + 1;
    this.#options = options;
  }

  start(): void {
    this.#incarnation += 1;
    const endpoint = this.#options.endpoint(this.#incarnation);
    const worker: WorkerProcess = this.#options.launch(endpoint, {
      workerReady: () => this.#ready(worker, endpoint),
      workerFailed: (failure) => this.#failed(worker, failure),
      workerStartTimedOut: (greeted) => this.#timedOut(worker, greeted),
      workerRetiring: () => this.#retire(),
      workerMessage: (message) => this.#emit({ kind: "message", ...this.#who(worker), message }),
      workerDetached: () => this.#detached(worker),
      workerExited: (exit) => this.#exited(worker, endpoint, exit),
    });
    this.#state = { kind: "starting", worker };
    this.#emit({ kind: "starting", ...this.#who(worker) });
  }

  get endpoint(): Endpoint | undefined {
    return this.#state.kind === "ready" ? this.#state.endpoint : undefined;
  }

  snapshot(): InstanceSnapshot {
    const state = this.#state;
    const worker = "worker" in state ? state.worker : undefined;
    return {
      id: this.id,
      port: this.#options.port,
      pid: worker?.pid ?? null,
      state: publicState(state),
      restarts: Math.max(0, this.#incarnation - 1),
      uptimeMs: state.kind === "ready" ? Math.round(this.#options.clock.now() - state.since) : 0,
      droppedMessages: worker?.droppedMessages ?? 0,
      endpoint: this.endpoint,
    };
  }

  /** Drains what serves, ends what does not, and resolves when the slot has no process. Starts nothing any more. */
  stop(graceMs: number): Promise<void> {
    this.#closing = true;
    const state = this.#state;
    switch (state.kind) {
      case "stopped":
        return Promise.resolve();
      case "waiting":
        state.timer.cancel();
        this.#state = { kind: "stopped" };
        return Promise.resolve();
      case "starting":
        this.#end(state.worker, "stopped", () => state.worker.terminate());
        break;
      case "ready":
        this.#end(state.worker, "stopped", () => state.worker.drain(graceMs));
        break;
      case "lost":
        state.worker.drain(graceMs);
        break;
      case "ending":
        if (state.reason === "retired") state.worker.drain(graceMs);
        break;
    }
    return new Promise((resolve) => this.#stopped.push(resolve));
  }

  /** The worker behind this endpoint is broken: it is killed, and replaced as after a crash. */
  discard(endpoint: Endpoint): void {
    if (this.#state.kind === "ready" && this.#state.endpoint === endpoint) this.#state.worker.kill();
  }

  /** SIGKILL to whatever runs, now. */
  kill(): void {
    this.#closing = true;
    if ("worker" in this.#state) this.#state.worker.kill();
  }

  #ready(worker: WorkerProcess, endpoint: Endpoint): void {
    if (this.#state.kind !== "starting") return;
    this.#state = { kind: "ready", worker, endpoint, since: this.#options.clock.now() };
    this.#options.observer.slotRouteChanged();
    this.#emit({ kind: "ready", ...this.#who(worker) });
  }

  #failed(worker: WorkerProcess, failure: WorkerFailure): void {
    if (this.#state.kind !== "starting") return;
    const error = reportedFailure(this.id, failure);
    this.#end(worker, "start-failed", () => worker.terminate());
    this.#reject(worker, error, "reported");
  }

  #timedOut(worker: WorkerProcess, greeted: boolean): void {
    if (this.#state.kind !== "starting") return;
    const error = startTimeout({ instance: this.id, startTimeoutMs: this.#options.startTimeoutMs, greeted });
    this.#end(worker, "start-timeout", () => worker.terminate());
    this.#reject(worker, error, "timeout");
  }

  #reject(worker: WorkerProcess, error: StartError, cause: "reported" | "timeout"): void {
    this.#emit({ kind: "start-failed", ...this.#who(worker), error });
    this.#options.observer.slotStartFailed(error, cause);
  }

  /** Asked to end from outside: a drain as in a stop, and a successor afterwards. */
  #retire(): void {
    const state = this.#state;
    if (state.kind !== "ready") return;
    this.#end(state.worker, "retired", () => state.worker.drain(this.#options.drainTimeoutMs));
  }

  #detached(worker: WorkerProcess): void {
    const state = this.#state;
    if (state.kind !== "ready") return;
    this.#state = { kind: "lost", worker, servedMs: this.#options.clock.now() - state.since };
    this.#options.observer.slotRouteChanged();
  }

  #end(worker: WorkerProcess, reason: Exclude<ExitReason, "crashed">, act: () => void): void {
    const served = this.#state.kind === "ready";
    this.#state = { kind: "ending", worker, reason };
    if (served) {
      this.#options.observer.slotRouteChanged();
      this.#emit({ kind: "draining", ...this.#who(worker) });
    }
    act();
  }

  #exited(worker: WorkerProcess, endpoint: Endpoint, exit: WorkerExit): void {
    this.#detached(worker);
    const state = this.#state;
    const reason = state.kind === "ending" ? state.reason : "crashed";
    const servedMs = state.kind === "lost" ? state.servedMs : 0;
    this.#state = { kind: "stopped" };
    this.#options.observer.slotExited(endpoint);
    const { exitCode, signal } = exit;
    this.#emit({ kind: "exit", ...this.#who(worker), reason, exitCode, signal });
    if (this.#closing) {
      for (const resolve of this.#stopped.splice(0)) resolve();
      return;
    }
    if (reason === "retired") this.start();
    else this.#restart(servedMs, exit);
  }

  #restart(servedMs: number, exit: WorkerExit): void {
    const restart = this.#options.policy.died(servedMs);
    const timer = this.#options.clock.after(restart.delayMs, () => this.start(), { keepAlive: true });
    this.#state = { kind: "waiting", timer };
    if (restart.kind === "restart") return;
    const { deaths, delayMs } = restart;
    this.#emit({ kind: "crash-loop", instance: this.id, deaths, retryInMs: Math.round(delayMs) });
    this.#options.observer.slotStartFailed(crashLoop({ instance: this.id, deaths, ...exit }), "crash-loop");
  }

  #who(worker: WorkerProcess): { instance: number; pid: number | undefined } {
    return { instance: this.id, pid: worker.pid };
  }

  #emit(event: SupervisorEvent): void {
    this.#options.observer.slotEvent(event);
  }
}

function publicState(state: State): InstanceSnapshot["state"] {
  switch (state.kind) {
    case "starting":
    case "ready":
      return state.kind;
    case "lost":
      return "draining";
    case "ending":
      return state.reason === "retired" || state.reason === "stopped" ? "draining" : "stopped";
    case "stopped":
    case "waiting":
      return "stopped";
  }
}
