import type { Announcement } from "../ipc/messages.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { StartError } from "../model/start-error.ts";
import type { Edition } from "./edition.ts";
import type { WorkerEvent } from "./events.ts";
import { type EndReason, Incarnation, type IncarnationExit, type KnownWorker } from "./incarnation.ts";
import { type SlotSnapshot, slotSnapshot } from "./instance-snapshot.ts";
import type { Restart } from "./restart-policy.ts";
import { type PendingRestart, Restarts } from "./restarts.ts";
import type { SlotOptions } from "./slot-options.ts";
import { SlotPort } from "./slot-port.ts";
import { crashLoop } from "./start-errors.ts";
import {
  holderOf,
  membersOf,
  type Succession,
  type SuccessorFailure,
  type SuccessorObserver,
  takersOf,
  withdrawn,
  without,
} from "./succession.ts";

/**
 * A place for one instance, which outlives the processes in it. One of them serves. In a replacement a successor starts
 * meanwhile, takes over, and the other one stands by until the replacement is settled, ready to have the slot back.
 */
export class Slot {
  readonly id: number;
  readonly port: number;
  readonly #options: SlotOptions;
  #succession: Succession<Incarnation> = { kind: "none", holder: undefined };
  /** Those that have been replaced, or were not good enough to replace another. */
  readonly #leaving = new Set<Incarnation>();
  readonly #ownPort: SlotPort;
  readonly #restarts: Restarts;
  #incarnations = 0;
  /** What whoever has the slot for good was started as. */
  #edition: Edition;
  #held = false;
  /** Its last process has done its work, and nobody has asked for another since. */
  #done = false;
  /** No process is started any more. */
  #closing = false;
  /** Called when no process is left, and when none is leaving any more. */
  #stopped: (() => void)[] = [];
  #settled: (() => void)[] = [];

  constructor(options: SlotOptions) {
    this.id = options.slot + 1;
    this.port = options.port;
    this.#options = options;
    this.#edition = options.edition();
    this.#ownPort = new SlotPort(options);
    void options.elsewhere?.then(() => this.#ownPort.leftTo(this.#holder));
    this.#restarts = new Restarts({ ...options, start: () => this.restart() });
  }

  /** Starts a worker, under the restart policy from then on. Nothing happens if there is one. */
  start(): void {
    this.#closing = false;
    this.#edition = this.#options.edition();
    this.restart();
  }

  /** Starts a worker where one is to be, but is not yet, without waiting any longer. */
  restart(edition = this.#edition): void {
    if (this.#closing) return;
    this.#edition = edition;
    this.#restarts.cancel();
    if (this.isManned) return;
    if (!this.portIsHeld) {
      this.#serve(this.port);
      return;
    }
    const launch = (port: number) => {
      if (!this.#closing && !this.isManned) this.#serve(port);
    };
    // Where no port is free, the slot's own is the next to be.
    void this.#options.sparePort().then(launch, () => launch(this.port));
  }

  /** Somebody serves, whether traffic is held back from the slot or not. */
  get isReady(): boolean {
    return this.#holder?.phase.kind === "ready";
  }

  /** Nobody serves, and nobody is to: the work is done. */
  get isDone(): boolean {
    return this.#done;
  }

  /** Somebody listens on the slot's own port, or may, so that the next worker needs another one. */
  get portIsHeld(): boolean {
    return this.#ownPort.isHeld;
  }

  /** Those that take traffic: one; two while the successor is a canary. */
  get endpoints(): readonly Endpoint[] {
    if (this.#held) return [];
    return takersOf(this.#succession).flatMap(({ phase, endpoint }) => (phase.kind === "ready" ? endpoint : []));
  }

  /** Those that can answer requests, whether they are given new ones or not. */
  get living(): readonly Endpoint[] {
    return this.#all().flatMap(({ isLiving, endpoint }) => (isLiving ? endpoint : []));
  }

  /** The worker of this endpoint, as long as it runs. */
  worker({ id }: Pick<Endpoint, "id">): KnownWorker | undefined {
    return this.#all().find(({ endpoint }) => endpoint.id === id);
  }

  snapshot(): SlotSnapshot {
    const [held, done, shown] = [this.#held, this.#done, this.#all()[0]];
    const [serving, restarts] = [this.#holder, this.#restarts];
    const port = this.#options.hears ? this.port : ((serving ?? shown)?.port ?? this.port);
    return slotSnapshot({ id: this.id, port, held, done, shown, serving, restarts, started: this.#incarnations });
  }

  get pendingRestart(): PendingRestart | undefined {
    return this.#restarts.pending;
  }

  /** There is a process that serves, or is to serve. */
  get isManned(): boolean {
    return this.#succession.kind !== "none" || this.#succession.holder !== undefined;
  }

  get held(): boolean {
    return this.#held;
  }

  /** Keeps traffic from the slot, whichever worker is in it, or lets it in again. */
  hold(held: boolean): void {
    if (this.#held === held) return;
    this.#held = held;
    this.#options.observer.slotRouteChanged();
  }

  /** Those that serve, or would if it were asked of them. */
  get ableToServe(): readonly Endpoint[] {
    return this.#all().flatMap(({ phase, endpoint }) => (phase.kind === "ready" ? endpoint : []));
  }

  /** Starts a worker that is to take over; until it does, nothing changes for whoever serves. */
  startSuccessor(port: number, observer: SuccessorObserver, edition = this.#edition): Endpoint {
    this.#restarts.cancel();
    const worker = this.#launch(port, true, edition);
    this.#succession = { kind: "starting", holder: this.#holder, successor: { worker, observer } };
    this.#emit({ kind: "starting", ...worker.who });
    return worker.endpoint;
  }

  /** Gives the successor, which is ready, traffic beside whoever serves; how much is the balancer's affair. */
  tryOut(): void {
    if (this.#succession.kind !== "starting") return;
    this.#succession = { ...this.#succession, kind: "canary" };
    this.#options.observer.slotRouteChanged();
  }

  /** The successor, which is ready, takes over; whoever served stands by. */
  promote(): void {
    if (this.#succession.kind !== "starting" && this.#succession.kind !== "canary") return;
    const { holder, successor } = this.#succession;
    // It is gone already, which is told in a moment.
    if (successor.worker.phase.kind !== "ready") return;
    const standby = holder?.phase.kind === "ready" ? holder : undefined;
    this.#succession = { kind: "promoted", successor, standby };
    const leaves = standby === undefined ? holder : undefined;
    // Before the routes are told: requests of sessions that live there still go there.
    if (leaves !== undefined) this.#leaving.add(leaves);
    this.#options.observer.slotRouteChanged();
    // Whoever does not serve any more ends already, and has the time for it that it was given.
    if (leaves !== undefined && leaves.phase.kind !== "ending") {
      this.#leave(leaves, "replaced", this.#options.drainTimeoutMs);
    }
    this.#ownPort.claim(this.#holder);
  }

  get isPromoted(): boolean {
    return this.#succession.kind === "promoted";
  }

  /** The successor that took over stays, and whoever stands by is drained. */
  commit(graceMs: number): void {
    const succession = this.#succession;
    if (succession.kind !== "promoted" && succession.kind !== "given-back") return;
    this.#succession = { kind: "none", holder: this.#holder };
    if (succession.kind !== "promoted") return;
    this.#edition = succession.successor.worker.edition;
    if (succession.standby !== undefined) this.#leave(succession.standby, "replaced", graceMs);
  }

  /** The successor leaves, and whoever served before has the slot. */
  revert(graceMs: number): void {
    if (this.#succession.kind !== "none") {
      const { worker } = this.#succession.successor;
      this.#succession = without(this.#succession, worker);
      this.#leaving.add(worker);
      this.#options.observer.slotRouteChanged();
      this.#leave(worker, "rolled-back", graceMs);
    }
    this.restart();
  }

  /** Ends whoever serves, and resolves when it is gone: a place for a successor on the slot's own port. */
  vacate(graceMs: number): Promise<void> {
    this.#restarts.cancel();
    const holder = this.#holder;
    if (holder !== undefined) {
      this.#succession = without(this.#succession, holder);
      this.#leave(holder, "replaced", graceMs);
    }
    return this.settled();
  }

  /** Resolves when none of those is left that were told to leave. */
  settled(): Promise<void> {
    if (this.#leaving.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#settled.push(resolve));
  }

  /** Drains what serves, ends what does not, and resolves when the slot has no process. */
  stop(graceMs: number, reason: "stopped" | "scaled-down" = "stopped"): Promise<void> {
    this.#closing = true;
    this.#restarts.cancel();
    const all = this.#all();
    const [succession, holder] = [this.#succession, this.#holder];
    this.#succession = { kind: "none", holder };
    for (const incarnation of all) if (incarnation !== holder) this.#leaving.add(incarnation);
    for (const incarnation of all) incarnation.end(reason, graceMs);
    if (succession.kind !== "none") succession.successor.observer.failed({ kind: "stopped" });
    if (all.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#stopped.push(resolve));
  }

  /** Whoever is ready is told, so also who stands by or is to take over: those are given back. */
  tell(announcement: Announcement): readonly Endpoint[] {
    return this.#all().flatMap((incarnation) => (incarnation.tell(announcement) ? incarnation.endpoint : []));
  }

  /** Whoever serves, or is to, for what an operator has to say. */
  get occupant(): Pick<Incarnation, "send" | "signal"> | undefined {
    return this.#holder;
  }

  kill(): void {
    this.#closing = true;
    for (const incarnation of this.#all()) incarnation.kill();
  }

  get #holder(): Incarnation | undefined {
    return holderOf(this.#succession);
  }

  #observerOf(incarnation: Incarnation): SuccessorObserver | undefined {
    if (this.#succession.kind === "none") return undefined;
    const { worker, observer } = this.#succession.successor;
    return worker === incarnation ? observer : undefined;
  }

  #all(): readonly Incarnation[] {
    return [...new Set([...membersOf(this.#succession), ...this.#leaving])];
  }

  #serve(port: number): void {
    const incarnation = this.#launch(port, false);
    this.#succession = { kind: "none", holder: incarnation };
    this.#emit({ kind: "starting", ...incarnation.who });
  }

  #launch(port: number, isSuccessor: boolean, edition = this.#edition): Incarnation {
    this.#done = false;
    this.#incarnations += 1;
    const { endpoint: makeEndpoint, hears, stopExitCodes, launch, startTimeoutMs, clock } = this.#options;
    const endpoint = makeEndpoint(this.#incarnations, port);
    const incarnation = new Incarnation({
      endpoint,
      edition,
      port,
      hears,
      stopExitCodes,
      startTimeoutMs,
      clock,
      launch: (observer) => launch({ endpoint, port, isSuccessor, edition }, observer),
      observer: {
        ready: () => this.#ready(incarnation),
        startFailed: (error, cause) => this.#startFailed(incarnation, error, cause),
        startsSlowly: (why) => this.#emit({ kind: "start-hint", ...incarnation.who, why }),
        retiring: () => this.#retire(incarnation),
        doomed: () => this.#options.observer.slotDoomed(endpoint),
        leftService: () => this.#leftService(incarnation),
        beat: (vitals) => this.#options.observer.slotVitals(endpoint, vitals),
        metrics: (told) => this.#options.observer.slotMetrics(endpoint, told),
        message: (message) => this.#emit({ kind: "message", ...incarnation.who, message }),
        messageDropped: () => this.#emit({ kind: "message-dropped", ...incarnation.who }),
        fault: (fault) => this.#emit({ kind: "agent-fault", ...incarnation.who, ...fault }),
        broken: (error) => this.#emit({ kind: "broken", ...incarnation.who, error }),
        exited: (exit) => this.#exited(incarnation, exit),
      },
    });
    this.#ownPort.launched(incarnation);
    return incarnation;
  }

  #ready(incarnation: Incarnation): void {
    this.#options.observer.slotReady(incarnation.endpoint);
    if (incarnation === this.#holder) this.#options.observer.slotRouteChanged();
    this.#ownPort.claim(this.#holder);
    this.#emit({ kind: "ready", ...incarnation.who });
    this.#observerOf(incarnation)?.ready();
  }

  #startFailed(incarnation: Incarnation, error: StartError, cause: "reported" | "timeout"): void {
    this.#emit({ kind: "start-failed", ...incarnation.who, error });
    const observer = this.#observerOf(incarnation);
    if (observer === undefined) {
      this.#options.observer.slotStartFailed(error, cause);
      return;
    }
    this.#leaving.add(incarnation);
    this.#succession = without(this.#succession, incarnation);
    this.#successorFailed(observer, { kind: "not-started", error });
  }

  /** Asked to end from outside: a drain as in a stop; after it, a successor if it had the slot. */
  #retire(incarnation: Incarnation): void {
    if (this.#succession.kind === "promoted" && incarnation === this.#succession.standby) {
      this.#succession = without(this.#succession, incarnation);
      this.#leaving.add(incarnation);
    }
    const observer = this.#observerOf(incarnation);
    incarnation.end("retired", this.#options.drainTimeoutMs);
    if (observer === undefined) return;
    // It may take its time to end, and is no successor any more.
    this.#leaving.add(incarnation);
    this.#succession = without(this.#succession, incarnation);
    this.#successorFailed(observer, { kind: "retired" });
  }

  #leftService(incarnation: Incarnation): void {
    this.#succession = withdrawn(this.#succession, incarnation);
    if (this.#succession.kind === "given-back") this.#leaving.add(this.#succession.successor.worker);
    this.#options.observer.slotRouteChanged();
    if (incarnation.phase.kind === "ending") this.#emit({ kind: "draining", ...incarnation.who });
  }

  #exited(incarnation: Incarnation, exit: IncarnationExit): void {
    const hadSlot = incarnation === this.#holder;
    const observer = this.#observerOf(incarnation);
    this.#succession = without(this.#succession, incarnation);
    this.#ownPort.exited(incarnation, exit);
    this.#leaving.delete(incarnation);
    this.#restarts.exited(exit);
    this.#options.observer.slotExited(incarnation.endpoint, incarnation.port);
    const { reason, exitCode, signal } = exit;
    // Where a successor ends, its observer is told, and the slot does not wait.
    const isOver = hadSlot && observer === undefined && !this.#closing && !this.isManned;
    this.#done = isOver && reason === "done";
    const waits = isOver && reason !== "retired" && reason !== "done";
    const restart = waits ? this.#restarts.begin(exit) : undefined;
    const restartInMs = restart === undefined ? {} : { restartInMs: Math.round(restart.delayMs) };
    this.#emit({ kind: "exit", ...incarnation.who, reason, exitCode, signal, ...restartInMs });
    if (observer !== undefined) this.#successorFailed(observer, { kind: "exited", exit });
    if (this.#done) this.#options.observer.slotRouteChanged();
    this.#ownPort.claim(this.#holder);
    if (this.#leaving.size === 0) for (const resolve of this.#settled.splice(0)) resolve();
    if (this.#closing) {
      if (this.#all().length === 0) for (const resolve of this.#stopped.splice(0)) resolve();
      return;
    }
    if (restart !== undefined) this.#awaitRestart(restart, exit);
    else if (hadSlot && !this.#done) this.restart();
  }

  #successorFailed(observer: SuccessorObserver, failure: SuccessorFailure): void {
    observer.failed(failure);
    // Whoever served may have died meanwhile, when the successor was to come.
    if (this.#restarts.pending === undefined) this.restart();
  }

  #awaitRestart(restart: Restart, exit: IncarnationExit): void {
    if (restart.kind === "crash-loop") {
      const { deaths, delayMs } = restart;
      this.#emit({ kind: "crash-loop", instance: this.id, deaths, retryInMs: Math.round(delayMs) });
      this.#options.observer.slotStartFailed(crashLoop({ instance: this.id, deaths, ...exit }), "crash-loop");
    }
    this.#options.observer.slotAwaitsRestart();
  }

  #leave(incarnation: Incarnation, reason: EndReason, graceMs: number): void {
    this.#leaving.add(incarnation);
    incarnation.end(reason, graceMs);
  }

  #emit(event: WorkerEvent): void {
    this.#options.observer.slotEvent(event);
  }
}
