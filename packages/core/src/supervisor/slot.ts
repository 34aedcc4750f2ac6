import type { ChildProcess } from "node:child_process";
import type { Announcement, Reach } from "../ipc/messages.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { StartError } from "../model/start-error.ts";
import type { OfWorker, SupervisorEvent } from "./events.ts";
import { type EndReason, Incarnation, type IncarnationExit } from "./incarnation.ts";
import { type SlotSnapshot, slotSnapshot } from "./instance-snapshot.ts";
import type { Restart } from "./restart-policy.ts";
import { type PendingRestart, Restarts } from "./restarts.ts";
import type { SlotOptions, Successor, SuccessorFailure, SuccessorObserver } from "./slot-options.ts";
import { crashLoop } from "./start-errors.ts";

/**
 * A place for one instance, which outlives the processes in it. One of them serves. In a replacement a successor starts
 * meanwhile, takes over, and the other one stands by until the replacement is settled, ready to have the slot back.
 */
export class Slot {
  readonly id: number;
  readonly port: number;
  readonly #options: SlotOptions;
  /** It has the slot: it serves, is to serve, or did so until its end began. */
  #serving: Incarnation | undefined;
  #successor: Successor | undefined;
  #standby: Incarnation | undefined;
  /** Those that have been replaced, or were not good enough to replace another. */
  readonly #leaving = new Set<Incarnation>();
  /** Who listens on the slot's own port: it was started there, or told to open it. */
  #portHolder: Incarnation | undefined;
  /** The last whose process ended. */
  #gone: Incarnation | undefined;
  readonly #restarts: Restarts;
  #incarnations = 0;
  #held = false;
  /** The successor gets some of the traffic before it takes over. */
  #canary = false;
  /** No process is started any more. */
  #closing = false;
  /** Called when no process is left, and when none is leaving any more. */
  #stopped: (() => void)[] = [];
  #settled: (() => void)[] = [];

  constructor(options: SlotOptions) {
    this.id = options.slot + 1;
    this.port = options.port;
    this.#options = options;
    const { policy, clock } = options;
    this.#restarts = new Restarts({ policy, clock, start: () => this.restart() });
  }

  /** Starts a worker, under the restart policy from then on. Nothing happens if there is one. */
  start(): void {
    this.#closing = false;
    this.restart();
  }

  /** Starts a worker where one is to be, but is not yet, without waiting any longer. */
  restart(): void {
    if (this.#closing) return;
    this.#restarts.cancel();
    if (this.isManned) return;
    if (this.#portHolder === undefined) {
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
    return this.#serving?.phase.kind === "ready";
  }

  /** A worker listens on the slot's own port, so that a successor needs another one. */
  get portIsHeld(): boolean {
    return this.#portHolder !== undefined;
  }

  /** Those that take traffic: one; two while the successor is a canary. */
  get endpoints(): readonly Endpoint[] {
    if (this.#held) return [];
    return [this.#serving, this.#canary ? this.#successor?.incarnation : undefined].flatMap((incarnation) =>
      incarnation?.phase.kind === "ready" ? incarnation.endpoint : [],
    );
  }

  /** Those that can answer requests, whether they are given new ones or not. */
  get living(): readonly Endpoint[] {
    return this.#all().flatMap(({ isLiving, endpoint }) => (isLiving ? endpoint : []));
  }

  /** Where the worker of this endpoint can be reached directly, as long as it runs. */
  directPort(endpoint: Endpoint): number {
    return this.#of(endpoint)?.port ?? this.port;
  }

  reachOf(endpoint: Endpoint): Reach {
    return this.#of(endpoint)?.reach ?? "link";
  }

  /** As events name the worker of this endpoint. */
  whoIs(endpoint: Endpoint): OfWorker {
    return this.#of(endpoint)?.who ?? { instance: this.id, pid: undefined };
  }

  childOf(endpoint: Endpoint): ChildProcess | undefined {
    return this.#of(endpoint)?.child;
  }

  snapshot(): SlotSnapshot {
    const [held, shown, serving, restarts] = [this.#held, this.#all()[0], this.#serving, this.#restarts];
    return slotSnapshot({ slot: this, held, shown, serving, restarts, started: this.#incarnations });
  }

  /** A worker died, and another one is to be started. */
  get pendingRestart(): PendingRestart | undefined {
    return this.#restarts.pending;
  }

  /** There is a process that serves, or is to serve. */
  get isManned(): boolean {
    return this.#serving !== undefined || this.#successor !== undefined;
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
  startSuccessor(port: number, observer: SuccessorObserver): Endpoint {
    this.#restarts.cancel();
    const incarnation = this.#launch(port, true);
    this.#successor = { incarnation, observer };
    this.#emit({ kind: "starting", ...incarnation.who });
    return incarnation.endpoint;
  }

  /** Gives the successor, which is ready, traffic beside whoever serves; how much is the balancer's affair. */
  tryOut(): void {
    this.#canary = true;
    this.#options.observer.slotRouteChanged();
  }

  /** The successor, which is ready, takes over; whoever served stands by. */
  promote(): void {
    const predecessor = this.#serving;
    this.#serving = this.#successor!.incarnation;
    this.#canary = false;
    if (predecessor?.phase.kind === "ready") this.#standby = predecessor;
    this.#options.observer.slotRouteChanged();
    // Whoever does not serve any more ends already, and has the time for it that it was given.
    if (predecessor?.phase.kind === "ending") this.#leaving.add(predecessor);
    else if (predecessor !== undefined && predecessor !== this.#standby)
      this.#leave(predecessor, "replaced", this.#options.drainTimeoutMs);
    this.#claimPort();
  }

  /** The successor stays, and whoever stands by is drained. */
  commit(graceMs: number): void {
    const standby = this.#standby;
    this.#successor = undefined;
    this.#standby = undefined;
    if (standby !== undefined) this.#leave(standby, "replaced", graceMs);
  }

  /** The successor leaves, and whoever served before has the slot. */
  revert(graceMs: number): void {
    const successor = this.#successor?.incarnation;
    this.#successor = undefined;
    this.#canary = false;
    if (successor !== undefined) {
      if (this.#serving === successor) {
        this.#serving = this.#standby;
        this.#standby = undefined;
      }
      this.#options.observer.slotRouteChanged();
      this.#leave(successor, "rolled-back", graceMs);
    }
    this.restart();
  }

  /** Ends whoever serves, and resolves when it is gone: a place for a successor on the slot's own port. */
  vacate(graceMs: number): Promise<void> {
    this.#restarts.cancel();
    const serving = this.#serving;
    this.#serving = undefined;
    if (serving !== undefined) this.#leave(serving, "replaced", graceMs);
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
    const successor = this.#successor;
    this.#successor = undefined;
    if (successor !== undefined && successor.incarnation !== this.#serving) this.#leaving.add(successor.incarnation);
    const all = this.#all();
    for (const incarnation of all) incarnation.end(reason, graceMs);
    successor?.observer.failed({ kind: "stopped" });
    if (all.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#stopped.push(resolve));
  }

  tell(announcement: Announcement): void {
    this.#serving?.tell(announcement);
  }

  send(message: unknown): boolean {
    return this.#serving?.send(message) ?? false;
  }

  /** The worker behind this endpoint is broken: it is killed, and replaced as after a crash. */
  discard(endpoint: Endpoint): void {
    const broken = this.#of(endpoint);
    if (broken?.phase.kind === "ready") broken.kill();
  }

  diedByItself(endpoint: Endpoint): boolean {
    return (this.#gone?.endpoint === endpoint ? this.#gone : this.#of(endpoint))?.diedByItself ?? false;
  }

  lost(endpoint: Endpoint): void {
    this.#of(endpoint)?.lost();
  }

  /** SIGKILL to whatever runs, now. */
  kill(): void {
    this.#closing = true;
    for (const incarnation of this.#all()) incarnation.kill();
  }

  #of(endpoint: Endpoint): Incarnation | undefined {
    return this.#all().find((incarnation) => incarnation.endpoint === endpoint);
  }

  /** Whoever has the slot comes first. */
  #all(): readonly Incarnation[] {
    const all = [this.#serving, this.#successor?.incarnation, this.#standby, ...this.#leaving];
    return [...new Set(all.filter((incarnation) => incarnation !== undefined))];
  }

  #serve(port: number): void {
    const incarnation = this.#launch(port, false);
    this.#serving = incarnation;
    this.#emit({ kind: "starting", ...incarnation.who });
  }

  #launch(port: number, isSuccessor: boolean): Incarnation {
    this.#incarnations += 1;
    const { endpoint: makeEndpoint, launch, startTimeoutMs, clock } = this.#options;
    const endpoint = makeEndpoint(this.#incarnations);
    const incarnation = new Incarnation({
      endpoint,
      port,
      startTimeoutMs,
      clock,
      launch: (observer) => launch(endpoint, port, observer, isSuccessor),
      observer: {
        ready: () => this.#ready(incarnation),
        startFailed: (error, cause) => this.#startFailed(incarnation, error, cause),
        startsSlowly: (why) => this.#emit({ kind: "start-hint", ...incarnation.who, why }),
        retiring: () => this.#retire(incarnation),
        leftService: () => this.#leftService(incarnation),
        beat: (vitals) => this.#options.observer.slotVitals(endpoint, vitals),
        message: (message) => this.#emit({ kind: "message", ...incarnation.who, message }),
        fault: (fault) => this.#emit({ kind: "agent-fault", ...incarnation.who, ...fault }),
        broken: (error) => this.#emit({ kind: "broken", ...incarnation.who, error }),
        exited: (exit) => this.#exited(incarnation, exit),
      },
    });
    if (port === this.port) this.#portHolder = incarnation;
    return incarnation;
  }

  #ready(incarnation: Incarnation): void {
    this.#options.observer.slotReady(incarnation.endpoint);
    if (incarnation === this.#serving) this.#options.observer.slotRouteChanged();
    this.#claimPort();
    this.#emit({ kind: "ready", ...incarnation.who });
    if (incarnation === this.#successor?.incarnation) this.#successor.observer.ready();
  }

  #startFailed(incarnation: Incarnation, error: StartError, cause: "reported" | "timeout"): void {
    this.#emit({ kind: "start-failed", ...incarnation.who, error });
    if (incarnation === this.#successor?.incarnation) {
      this.#leaving.add(incarnation);
      this.#successorFailed({ kind: "not-started", error });
      return;
    }
    this.#options.observer.slotStartFailed(error, cause);
  }

  /** Asked to end from outside: a drain as in a stop; after it, a successor if it had the slot. */
  #retire(incarnation: Incarnation): void {
    if (incarnation === this.#standby) {
      this.#standby = undefined;
      this.#leaving.add(incarnation);
    }
    incarnation.end("retired", this.#options.drainTimeoutMs);
  }

  #leftService(incarnation: Incarnation): void {
    if (incarnation === this.#serving && this.#standby !== undefined) {
      this.#leaving.add(incarnation);
      this.#serving = this.#standby;
      this.#standby = undefined;
    }
    this.#options.observer.slotRouteChanged();
    if (incarnation.phase.kind === "ending") this.#emit({ kind: "draining", ...incarnation.who });
  }

  #exited(incarnation: Incarnation, exit: IncarnationExit): void {
    const hadSlot = incarnation === this.#serving;
    if (hadSlot) this.#serving = undefined;
    if (incarnation === this.#standby) this.#standby = undefined;
    if (incarnation === this.#portHolder) this.#portHolder = undefined;
    this.#leaving.delete(incarnation);
    this.#gone = incarnation;
    this.#restarts.exited(exit);
    this.#options.observer.slotExited(incarnation.endpoint, incarnation.port);
    const { reason, exitCode, signal } = exit;
    const restart =
      hadSlot && !this.#closing && !this.isManned && reason !== "retired" ? this.#restarts.begin(exit) : undefined;
    const restartInMs = restart === undefined ? {} : { restartInMs: Math.round(restart.delayMs) };
    this.#emit({ kind: "exit", ...incarnation.who, reason, exitCode, signal, ...restartInMs });
    if (incarnation === this.#successor?.incarnation) this.#successorFailed({ kind: "exited", exit });
    this.#claimPort();
    if (this.#leaving.size === 0) for (const resolve of this.#settled.splice(0)) resolve();
    if (this.#closing) {
      if (this.#all().length === 0) for (const resolve of this.#stopped.splice(0)) resolve();
      return;
    }
    if (restart !== undefined) this.#awaitRestart(restart, exit);
    else if (hadSlot) this.restart();
  }

  #successorFailed(failure: SuccessorFailure): void {
    const { observer } = this.#successor!;
    this.#successor = undefined;
    this.#canary = false;
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

  /** Direct access to the instance goes on where it was: whoever serves listens on the slot's own port too. */
  #claimPort(): void {
    if (this.#portHolder !== undefined || !this.isReady) return;
    this.#portHolder = this.#serving;
    this.#serving!.openPort(this.port);
  }

  #emit(event: SupervisorEvent): void {
    this.#options.observer.slotEvent(event);
  }
}
