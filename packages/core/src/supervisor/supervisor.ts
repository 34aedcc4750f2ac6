import type { Peer } from "../ipc/messages.ts";
import type { ProfileFacts } from "../ipc/profile-messages.ts";
import type { Clock, Timer } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { LbError } from "../model/errors.ts";
import { Listeners } from "../model/listeners.ts";
import type { Random } from "../model/random.ts";
import type { HeartbeatSettings, RestartOptions, StartParallelism } from "../options/life-options.ts";
import type { Edition } from "./edition.ts";
import type { SupervisorEvent, WorkerEvent } from "./events.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { KnownWorker } from "./incarnation.ts";
import type { InstanceSnapshot } from "./instance-snapshot.ts";
import { JointStart } from "./joint-start.ts";
import { LastResort } from "./last-resort.ts";
import { findSparePort, isPortFree } from "./ports.ts";
import { createRestartPolicy } from "./restart-policy.ts";
import { Slot } from "./slot.ts";
import type { SlotObserver } from "./slot-options.ts";
import type { WantedProfile, WorkerKind } from "./worker-contract.ts";

export interface SupervisorOptions {
  /** What the instances are. */
  readonly workers: WorkerKind;
  /** What they are started as, but for those that a reload starts. */
  readonly edition: () => Edition;
  readonly startTimeoutMs: number;
  /** Of the first start; later ones are for instances that are wanted at once. */
  readonly startParallelism: StartParallelism;
  readonly drainTimeoutMs: number;
  readonly restart: RestartOptions;
  /** `false`: the workers need not speak. */
  readonly heartbeat: HeartbeatSettings | false;
  /**
   * Where instances listen: at `consecutive` ports, as was promised; `anywhere`, since nobody chose them, and where the next in line
   * is taken an instance more is elsewhere; or nowhere (`none`). Default: consecutive.
   */
  readonly ports?: "consecutive" | "anywhere" | "none";
  /** With which exit codes one that ends by itself has done its work, and is not started again. Default: none. */
  readonly stopExitCodes?: readonly number[];
  readonly clock: Clock;
  readonly random: Random;
  /** Workers hold sessions that nobody else can serve, so those without new traffic are to be known too. */
  readonly keepsSessions?: () => boolean;
}

export interface ClusterPorts {
  /** What the apps take for it, if the front listens on no port. */
  readonly public: number;
  /** The instances', one for each, in slot order. */
  readonly own: readonly number[];
  /** Those of them that instances of another primary have until then. Default: none. */
  readonly elsewhere?: { readonly ports: ReadonlySet<number>; readonly left: Promise<void> } | undefined;
}

/** Of an instance that listens nowhere. */
export const noPort = 0;

/** Who leaves the roster is told to the workers with all who leave it at the same time. In milliseconds. */
const peersDelayMs = 20;

/** Keeps one worker running in each slot, and tells who of them takes traffic. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #observer: SlotObserver;
  readonly #listeners = new Listeners<SupervisorEvent>();
  /** In slot order; those beyond `#size` are being emptied or stand empty, and keep their counts. */
  readonly #slots: Slot[] = [];
  #size = 0;
  #publicPort = 0;
  #start: JointStart | undefined;
  /** `cluster()` is still pending. */
  #firstStart = false;
  #stopped = false;
  #roster: readonly Endpoint[] = [];
  #lingering: readonly Endpoint[] = [];
  #peersTimer: Timer | undefined;
  /** Undefined: the workers need not speak. */
  #heartbeat: Heartbeat | undefined;
  readonly #sparePorts = new Set<number>();
  readonly #lastResort: LastResort;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#observer = {
      slotEvent: (event) => this.#listeners.emit([event]),
      slotRouteChanged: () => this.#publishRoster(),
      slotStartFailed: (error, cause) => this.#start?.failed(error, cause),
      slotAwaitsRestart: () => this.#lastResort.consider(),
      slotReady: (endpoint) => this.#heartbeat?.beat(endpoint),
      slotDoomed: (endpoint) => this.#listeners.emit([{ kind: "doomed", endpoint }]),
      slotVitals: (endpoint, vitals) => {
        this.#listeners.emit([{ kind: "vitals", endpoint, vitals }]);
        this.#heartbeat?.beat(endpoint);
      },
      slotMetrics: (endpoint, told) => this.#listeners.emit([{ kind: "metrics", endpoint, told }]),
      slotExited: (endpoint, port) => {
        this.#sparePorts.delete(port);
        options.workers.ended(endpoint.id);
        this.#publishRoster();
        this.#listeners.emit([{ kind: "ended", endpoint }]);
        this.#heartbeat?.forget(endpoint);
      },
    };
    const { clock, restart } = options;
    this.#lastResort = new LastResort({
      clock,
      maxPauseMs: restart.crashLoopDelayMs,
      start: () => this.#startIfDeserted(),
    });
  }

  /** Returns the call that ends the subscription. Of the roster it is told at once, before any worker is told to drain. */
  subscribe(listener: (event: SupervisorEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Starts an instance for each of these ports. Resolves when all are ready at the same time. Rejects with the first failure that another attempt would
   * not mend: what a worker reports itself, a start that hung twice, a crash loop. The caller then has to `stop`.
   * After it settled no failure rejects anything: they are events.
   */
  async start(ports: ClusterPorts): Promise<void> {
    this.#publicPort = ports.public;
    const { elsewhere } = ports;
    for (const port of ports.own) this.#addSlot(port, elsewhere?.ports.has(port) ? elsewhere.left : undefined);
    this.#size = ports.own.length;
    const { heartbeat } = this.#options;
    if (heartbeat !== false) this.#heartbeat = this.#listenTo(heartbeat);
    this.#firstStart = true;
    try {
      await this.#allReady(this.#slots, this.#options.startParallelism);
    } finally {
      this.#firstStart = false;
    }
  }

  /** Asks those that are ready for their apps' own metrics, for the so manieth time; gives back whom. */
  askMetrics(asked: number): readonly Endpoint[] {
    return this.#slots.flatMap((slot) => slot.tell({ type: "tell-metrics", asked }));
  }

  /** Instances that are to run. */
  get size(): number {
    return this.#size;
  }

  /** Those in use, in slot order. */
  get slots(): readonly Slot[] {
    return this.#slots.slice(0, this.#size);
  }

  /** In slot order; an instance that is being scaled away is there until its process is gone. */
  snapshot(): readonly InstanceSnapshot[] {
    const all = this.#slots
      .map((slot) => slot.snapshot())
      .filter(({ pid }, index) => index < this.#size || pid !== null);
    return all.map((one) => ({ ...one, silent: one.endpoint !== undefined && this.isSilent(one.endpoint) }));
  }

  /** The worker of this endpoint, which has ended if it is not known. */
  worker(endpoint: Pick<Endpoint, "id" | "slot">): KnownWorker | undefined {
    return this.#slots[endpoint.slot]?.worker(endpoint);
  }

  /** Where the instance of this endpoint is found: its slot's own port, unless its worker cannot move there. */
  shownPort(endpoint: Endpoint): number {
    return this.#options.workers.hears ? this.#ownPort(endpoint.slot) : this.directPort(endpoint);
  }

  /** Where the worker of this endpoint can be reached directly, as long as it runs. */
  directPort(endpoint: Endpoint): number {
    return this.worker(endpoint)?.port ?? this.#ownPort(endpoint.slot);
  }

  /**
   * Starts instances, or drains and ends those with the highest numbers. Resolves when the new ones are ready, or the
   * others gone. If a new one cannot start, the size is what it was before.
   *
   * @throws StartError as of `start`
   * @throws LbError `LB_PORT_BUSY` if the ports next in line are taken
   */
  async scale(size: number, graceMs: number): Promise<void> {
    const before = this.#size;
    if (size < before) {
      this.#size = size;
      await Promise.all(this.#slots.slice(size, before).map((slot) => slot.stop(graceMs, "scaled-down")));
      return;
    }
    for (let slot = this.#slots.length; slot < size; slot += 1) this.#addSlot(await this.#nextPort());
    if (this.#stopped) throw closed();
    this.#size = size;
    try {
      await this.#allReady(this.#slots.slice(before, size), "all");
    } catch (error) {
      this.#size = before;
      await Promise.all(this.#slots.slice(before, size).map((slot) => slot.stop(0, "scaled-down")));
      throw error;
    }
  }

  /** A port for a worker that starts beside its predecessor. */
  async sparePort(): Promise<number> {
    const { random, ports } = this.#options;
    if (ports === "none") return noPort;
    const taken = new Set([...this.#slots.map(({ port }) => port), ...this.#sparePorts]);
    const port = await findSparePort({ taken, random });
    this.#sparePorts.add(port);
    return port;
  }

  /** Has the readiness checks of all instances fail, before anything ends. */
  announceDelay(): void {
    for (const slot of this.#slots) slot.tell({ type: "ending" });
  }

  /** Has all instances end their sessions, since `stop` follows. They go on answering requests. */
  announceEnd(graceMs: number): void {
    for (const slot of this.#slots) slot.tell({ type: "closing", graceMs });
  }

  /** What `scale` has begun rejects (`LB_CLOSED`), since `stop` follows. A first start is given up by whoever began it. */
  abandonStart(): void {
    if (!this.#firstStart) this.#start?.abandon(closed());
  }

  /** Drains all workers at the same time; those still there a little after `graceMs` are killed. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    this.abandonStart();
    this.#peersTimer?.cancel();
    this.#heartbeat?.stop();
    this.#lastResort.stop();
    await Promise.all(this.#slots.map((slot) => slot.stop(graceMs)));
  }

  /** It serves, and has said nothing for so long that it gets nothing new. */
  isSilent(endpoint: Endpoint): boolean {
    return this.#heartbeat?.isSilent(endpoint) ?? false;
  }

  /** SIGKILL to every worker, now. */
  kill(): void {
    this.#start = undefined;
    this.#lastResort.stop();
    for (const slot of this.#slots) slot.kill();
  }

  /**
   * Has the worker that serves in the slot take a profile of its process, which may silence it for so long.
   *
   * @throws LbError `LB_PROFILE_…`
   */
  async profile(slot: Slot, wanted: WantedProfile, silentMs: number): Promise<ProfileFacts> {
    const { endpoint } = slot.snapshot();
    const worker = endpoint && this.worker(endpoint);
    if (endpoint === undefined || worker === undefined) {
      throw new LbError("LB_PROFILE_LOST", `Instance ${slot.id} does not serve now: there is nothing to look at.`);
    }
    this.#heartbeat?.excuse(endpoint, silentMs);
    try {
      const facts = await worker.profile(wanted);
      // It has spoken.
      this.#heartbeat?.beat(endpoint);
      return facts;
    } finally {
      this.#heartbeat?.expect(endpoint);
    }
  }

  /** The port of a slot, whichever worker is in it. */
  #ownPort(slot: number): number {
    return this.#slots[slot]!.port;
  }

  #listenTo(settings: HeartbeatSettings): Heartbeat {
    const told = (event: WorkerEvent) => {
      this.#listeners.emit([event]);
      this.#publishRoster();
    };
    const whoIs = (endpoint: Endpoint) => this.worker(endpoint)?.who ?? { instance: endpoint.slot + 1, pid: undefined };
    return new Heartbeat({
      settings,
      clock: this.#options.clock,
      watched: () => this.#slots.flatMap((slot) => slot.ableToServe),
      fellSilent: (endpoint, ms) => told({ kind: "unresponsive", ...whoIs(endpoint), silentMs: Math.round(ms) }),
      spoke: (endpoint) => told({ kind: "responsive", ...whoIs(endpoint) }),
      givenUp: (endpoint) => this.worker(endpoint)?.discard(),
    });
  }

  #addSlot(port: number, elsewhere?: Promise<void>): void {
    const { workers, edition, startTimeoutMs, drainTimeoutMs, stopExitCodes = [], clock, random } = this.#options;
    const slot = this.#slots.length;
    const made = new Slot({
      slot,
      port,
      elsewhere,
      sparePort: () => this.sparePort(),
      edition,
      startTimeoutMs,
      drainTimeoutMs,
      clock,
      policy: createRestartPolicy(this.#options.restart, random),
      hears: workers.hears,
      stopExitCodes,
      endpoint: (incarnation, at) => {
        const id = `${slot + 1}.${incarnation}`;
        return { id, slot, incarnation, weight: 1, address: workers.addressOf(id, at) };
      },
      launch: (start, observer) => workers.launch({ ...start, ownPort: port, publicPort: this.#publicPort }, observer),
      observer: this.#observer,
    });
    this.#slots.push(made);
  }

  /** The one after the last instance's, as the instances' ports are consecutive, where that was promised. */
  async #nextPort(): Promise<number> {
    if (this.#options.ports === "none") return noPort;
    const port = this.#slots.at(-1)!.port + 1;
    const isInLine = (one: number) => this.#slots.every((slot) => slot.port !== one) && !this.#sparePorts.has(one);
    if (port <= 65_535 && isInLine(port) && (await isPortFree(port))) return port;
    if (this.#options.ports === "anywhere") return this.sparePort();
    const remedy = 'Free it, or choose other ports with the option "workerPort".';
    throw new LbError(
      "LB_PORT_BUSY",
      `Instance ${this.#slots.length + 1} needs the port ${port}, which is taken. ${remedy}`,
    );
  }

  async #allReady(slots: readonly Slot[], parallelism: StartParallelism): Promise<void> {
    const start = new JointStart({ slots, parallelism });
    this.#start = start;
    start.begin();
    try {
      await start.done;
    } finally {
      if (this.#start === start) this.#start = undefined;
    }
  }

  #publishRoster(): void {
    const all = this.#slots.flatMap((slot) => slot.endpoints);
    if (all.length > 0) this.#lastResort.ready();
    const responsive = all.filter((endpoint) => !this.isSilent(endpoint));
    // Where everybody is silent, one of them may still answer.
    const roster = responsive.length === 0 ? all : responsive;
    const living = this.#options.keepsSessions?.() === true ? this.#slots.flatMap((slot) => slot.living) : [];
    const lingering = living.filter((endpoint) => !roster.includes(endpoint));
    const changed = !areSame(roster, this.#roster) || !areSame(lingering, this.#lingering);
    const isJoined = roster.some((endpoint) => !this.#roster.includes(endpoint));
    this.#roster = roster;
    this.#lingering = lingering;
    if (changed) {
      // With its first connection it has to know where the requests of others belong, and they with the next one where its own do.
      if (isJoined) this.#tellPeers();
      else if (!this.#stopped) this.#peersTimer ??= this.#options.clock.after(peersDelayMs, () => this.#tellPeers());
      this.#listeners.emit([{ kind: "roster", taking: roster, lingering }]);
    }
    this.#start?.changed();
  }

  #tellPeers(): void {
    this.#peersTimer?.cancel();
    this.#peersTimer = undefined;
    const peerOf = (endpoint: Endpoint): Peer => ({
      id: endpoint.slot + 1,
      port: this.directPort(endpoint),
      endpointId: endpoint.id,
    });
    const [taking, lingering] = [this.#roster.map(peerOf), this.#lingering.map(peerOf)];
    for (const slot of this.#slots) slot.tell({ type: "peers", taking, lingering });
  }

  /** Of those in rotation nobody serves or starts: the one whose turn is next starts now. */
  #startIfDeserted(): boolean {
    // A first start that fails is given up, and whoever awaits it decides.
    const inRotation = this.slots.filter(({ held }) => !held);
    if (this.#firstStart || inRotation.some(({ isManned }) => isManned)) return false;
    const [next] = inRotation
      .filter(({ pendingRestart }) => pendingRestart !== undefined)
      .sort((one, other) => one.pendingRestart!.inMs - other.pendingRestart!.inMs);
    if (next === undefined || next.pendingRestart!.inMs === 0) return false;
    next.restart();
    return true;
  }
}

function closed(): LbError {
  return new LbError("LB_CLOSED", "The cluster was closed before the new instances were ready.");
}

function areSame(some: readonly Endpoint[], others: readonly Endpoint[]): boolean {
  return some.length === others.length && some.every((endpoint, index) => endpoint === others[index]);
}
