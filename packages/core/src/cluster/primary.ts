import type { ChildProcess } from "node:child_process";
import type { Balancer } from "../balancer/balancer.ts";
import type { Routing } from "../balancer/routing.ts";
import { publicUrl } from "../control/public-url.ts";
import { SlotCounters } from "../control/slot-counters.ts";
import { type ClusterStatus, clusterStatus, type InstanceStatus } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents, Listener } from "../events/cluster-events.ts";
import { emitSupervisorEvent } from "../events/supervisor-events.ts";
import type { PublicFront } from "../front/public-front.ts";
import type { LinkError } from "../link/errors.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { LbError } from "../model/errors.ts";
import type { OutputLine } from "../model/output-line.ts";
import type { Random } from "../model/random.ts";
import type { ClusterSettings } from "../options/cluster-options.ts";
import type { ReloadOptions } from "../options/reload-options.ts";
import { GroupGuard } from "../supervisor/group-guard.ts";
import type { IntakeDirectory } from "../supervisor/intake-directory.ts";
import { MemoryLimit } from "../supervisor/memory-limit.ts";
import { reachedAt } from "../supervisor/ports.ts";
import { ReloadSignal } from "../supervisor/reload-signal.ts";
import { SharedPorts } from "../supervisor/shared-ports.ts";
import { ShutdownSignals, takeDefaultEffect } from "../supervisor/shutdown-signals.ts";
import { Supervisor } from "../supervisor/supervisor.ts";
import { isInspected, type WorkerEntry } from "../supervisor/worker-entry.ts";
import { WorkerOutput } from "../supervisor/worker-output.ts";
import { killMarginMs, workerLauncher } from "../supervisor/worker-process.ts";
import { Autoscaler } from "./autoscaler.ts";
import { type OpenControl, openControl } from "./cluster-control.ts";
import type { AppReach } from "./cluster-front.ts";
import { ClusterOperations, type ReloadReport } from "./cluster-operations.ts";
import { followRoster } from "./follow-roster.ts";
import { InstanceProbes } from "./instance-probes.ts";
import type { PrimaryCluster } from "./primary-cluster.ts";

export interface PrimaryOptions {
  readonly settings: ClusterSettings;
  readonly entry: WorkerEntry;
  readonly clock: Clock;
  readonly random: Random;
}

/** Grace for the workers of a start that failed: they have served next to nobody. */
const failedStartGraceMs = 1_000;

/** What the primary is put together from; see `start-primary.ts`. */
export interface PrimaryParts extends PrimaryOptions {
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly balancer: Balancer;
  readonly routing: Routing | undefined;
  readonly secret: string;
  readonly front: PublicFront;
  readonly relayed: (slot: number) => number;
  readonly port: number;
  readonly ports: readonly number[];
  readonly intakes: IntakeDirectory;
}

export class Primary implements PrimaryCluster {
  readonly role = "primary";
  readonly port: number;
  readonly url: string;
  readonly #parts: PrimaryParts;
  readonly #guard: GroupGuard;
  readonly #supervisor: Supervisor;
  readonly #departed = new SlotCounters();
  readonly #signals: ShutdownSignals | undefined;
  readonly #probes: InstanceProbes | undefined;
  readonly #operations: ClusterOperations;
  readonly #reloadSignal: ReloadSignal | undefined;
  readonly #memory: MemoryLimit | undefined;
  /** What was last told of each instance. */
  readonly #told = new Map<number, { readonly state: InstanceStatus["state"]; readonly pid: number | null }>();
  readonly #output: WorkerOutput | undefined;
  #startedAt: number;
  #autoscaler: Autoscaler | undefined;
  #interruptStart: ((signal: NodeJS.Signals) => void) | undefined;
  #control: OpenControl | undefined;
  #reloading: ClusterStatus["reload"] = null;
  #closed: Promise<void> | undefined;

  constructor(parts: PrimaryParts) {
    const { settings, entry, clock, random, events, balancer, port, ports, intakes } = parts;
    this.#parts = parts;
    this.port = port;
    this.url = publicUrl(settings.host, port);
    this.#startedAt = clock.now();
    const { output } = settings;
    if (output !== undefined) {
      this.#output = new WorkerOutput((line) => {
        output(line);
        events.emit("output", line);
      });
    }
    this.#guard = new GroupGuard({
      graceMs: settings.drainTimeoutMs + killMarginMs,
      clock,
      failed: (error) => events.emit("guard-failed", error),
    });
    this.#supervisor = new Supervisor({
      entry,
      host: settings.workerHost,
      publicPort: port,
      portEnv: settings.portEnv,
      sharedPorts: new SharedPorts({ publicHost: settings.host }),
      unused: (endpoint) => balancer.drained(endpoint),
      handoff: settings.mode === "handoff",
      secret: settings.mode === "handoff" && parts.routing !== undefined ? parts.secret : undefined,
      sessionPrefix: ({ slot, incarnation }) => parts.routing?.affinity.sessionPrefix(slot, incarnation),
      events: settings.socketIo === false ? undefined : settings.socketIo,
      ports,
      env: settings.env,
      startTimeoutMs: settings.startTimeoutMs,
      startParallelism: settings.startParallelism,
      waitReady: settings.waitReady,
      firstProbe:
        settings.health.active !== false && settings.health.active.requireFirstProbe
          ? (endpoint) => this.#probes!.first(endpoint)
          : undefined,
      heartbeat: isInspected(entry) ? false : settings.heartbeat,
      drainTimeoutMs: settings.drainTimeoutMs,
      stopSignal: settings.stopSignal,
      restart: settings.restart,
      intakes,
      clock,
      random,
      launch: workerLauncher(this.#guard),
      output: this.#output,
      onEvent: (event) => {
        this.#tellInstances();
        emitSupervisorEvent(events, event);
      },
      onVitals: (endpoint, { rssBytes }) => this.#memory?.check(endpoint, rssBytes),
      keepsSessions: () => parts.routing?.keepsSessions ?? false,
      onSessions: () => parts.routing?.begin(),
      onRoster: (roster, lingering) => {
        const isSilent = (endpoint: Endpoint) => this.#supervisor.isSilent(endpoint);
        followRoster({ front: parts.front, balancer, isSilent }, roster, lingering);
        this.#probes?.update(roster);
      },
    });
    balancer.subscribe((event) => {
      if (event.type === "health") {
        const { endpoint, from, to } = event;
        events.emit("health", { instance: endpoint.slot + 1, from, to });
        this.#tellInstances();
      }
      if (event.type === "drained") this.#departed.add(event.endpoint.slot, event);
    });
    const { active } = settings.health;
    if (active !== false) {
      this.#probes = new InstanceProbes({
        settings: active,
        health: balancer.health,
        clock,
        random,
        directAddress: (endpoint) => ({
          kind: "tcp",
          host: reachedAt(settings.workerHost),
          port: this.#supervisor.directPort(endpoint),
        }),
      });
    }
    this.#operations = new ClusterOperations({
      supervisor: this.#supervisor,
      balancer,
      probes: this.#probes,
      clock,
      startTimeoutMs: settings.startTimeoutMs,
      drainTimeoutMs: settings.drainTimeoutMs,
      progress: (progress) => {
        const { step, done, total } = progress;
        this.#reloading = step === "finished" || step === "rolled-back" ? null : { done, total };
        parts.events.emit("reload", progress);
      },
    });
    if (settings.maxMemoryMb !== undefined) {
      this.#memory = new MemoryLimit(settings.maxMemoryMb, clock, (instance, rssBytes) => {
        events.emit("memory-exceeded", { instance, rssBytes });
        return this.#operations.restart(instance);
      });
    }
    if (settings.signals) {
      this.#reloadSignal = new ReloadSignal(() => this.#operations.reloadSoon());
      this.#signals = new ShutdownSignals({
        drain: (signal) => this.#signalled(signal),
        abort: () => this.#abort(),
        clock,
      });
    }
  }

  async start(): Promise<void> {
    const interrupted = new Promise<never>((_, reject) => {
      this.#interruptStart = (signal) =>
        reject(new LbError("LB_INTERRUPTED", `${signal} arrived before the instances were ready.`));
    });
    const { events } = this.#parts;
    events.emit("phase", { phase: "starting" });
    const control = this.#openControl();
    try {
      await Promise.race([this.#operations.first(() => this.#supervisor.start()), interrupted]);
    } catch (error) {
      events.emit("phase", { phase: "failed" });
      await this.close({ graceMs: failedStartGraceMs });
      throw error;
    }
    this.#interruptStart = undefined;
    this.#startedAt = this.#parts.clock.now();
    events.emit("phase", { phase: "running" });
    this.#beginAutoscale();
    const failure = await control;
    // Whoever awaits the start listens by then.
    if (failure !== undefined) setImmediate(() => events.emit("control-failed", failure));
  }

  #beginAutoscale(): void {
    const { settings, clock, events } = this.#parts;
    if (settings.autoscale === undefined || this.#closed !== undefined) return;
    this.#autoscaler = new Autoscaler({
      settings: settings.autoscale,
      clock,
      status: () => this.status(),
      scale: (instances) => this.#operations.scale(instances),
      told: (event) => events.emit("autoscale", event),
    });
  }

  /** Resolves with why it could not be opened. */
  async #openControl(): Promise<Error | undefined> {
    const { settings, events } = this.#parts;
    if (!settings.control) return undefined;
    try {
      this.#control = await openControl(settings.name, this);
      if (this.#closed !== undefined) this.#control.close();
      const { name } = this.#control;
      if (name !== settings.name) events.emit("control-renamed", { from: settings.name, to: name });
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  /** The instance's own port, which outlives its workers. */
  portOf({ slot }: Endpoint): number {
    return this.#supervisor.ownPort(slot);
  }

  /** How the app behind the endpoint is reached, and where, if on a port. */
  reachOf(endpoint: Endpoint): AppReach {
    if ((this.#supervisor.worker(endpoint)?.reach ?? "link") === "link") return { kind: "link" };
    const host = reachedAt(this.#parts.settings.workerHost);
    return { kind: "tcp", host, port: this.#supervisor.directPort(endpoint) };
  }

  childOf(endpoint: Endpoint): ChildProcess | undefined {
    return this.#supervisor.worker(endpoint)?.child;
  }

  workerGone(endpoint: Endpoint): void {
    this.#supervisor.worker(endpoint)?.lost();
  }

  diedByItself(endpoint: Endpoint): boolean {
    return this.#supervisor.worker(endpoint)?.diedByItself ?? false;
  }

  /** A link that was merely lost is the sign of a worker that died, which is told by its exit. */
  linkDown(endpoint: Endpoint, error: LinkError): void {
    if (error.code !== "LB_LINK_PROTOCOL" && error.code !== "LB_LINK_VERSION") return;
    this.#parts.events.emit("link-broken", { instance: endpoint.slot + 1, error });
    this.#supervisor.worker(endpoint)?.discard();
  }

  get draining(): boolean {
    return this.#closed !== undefined;
  }

  get #phase(): ClusterStatus["phase"] {
    if (this.#closed !== undefined) return "closing";
    return this.#interruptStart === undefined ? "running" : "starting";
  }

  status(): ClusterStatus {
    const { settings, balancer, clock } = this.#parts;
    return clusterStatus({
      name: settings.name,
      mode: settings.mode,
      host: settings.host,
      port: this.port,
      strategy: settings.strategy.name,
      pid: process.pid,
      phase: this.#phase,
      reload: this.#reloading,
      uptimeMs: clock.now() - this.#startedAt,
      instances: this.#supervisor.snapshot(),
      balancer: balancer.status(),
      departed: this.#departed,
      relayed: this.#parts.relayed,
    });
  }

  reload(options?: ReloadOptions): Promise<ReloadReport> {
    return this.#operations.reload(options);
  }

  restart(id: number): Promise<void> {
    return this.#operations.restart(id);
  }

  scale(instances: number): Promise<void> {
    return this.#operations.scale(instances);
  }

  drain(id: number): Promise<void> {
    return this.#operations.drain(id);
  }

  resume(id: number): void {
    this.#operations.resume(id);
  }

  send(id: number, message: unknown): boolean {
    return this.#operations.send(id, message);
  }

  output({ lines = 100, instance }: { lines?: number; instance?: number } = {}): readonly OutputLine[] {
    if (this.#output !== undefined) return this.#output.history.last(lines, instance);
    const remedy = "Start it with `lb start`, or with the option output.";
    throw new LbError("LB_NO_OUTPUT", `What the instances write is not kept here. ${remedy}`);
  }

  holdOutput(held: boolean): void {
    this.#output?.hold(held);
  }

  on<Name extends keyof ClusterEventMap>(name: Name, listener: Listener<ClusterEventMap[Name]>): this {
    this.#parts.events.on(name, listener);
    return this;
  }

  off<Name extends keyof ClusterEventMap>(name: Name, listener: Listener<ClusterEventMap[Name]>): this {
    this.#parts.events.off(name, listener);
    return this;
  }

  close({ graceMs = this.#parts.settings.drainTimeoutMs }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(graceMs, undefined);
    return this.#closed;
  }

  /**
   * First the front, so that no request finds its worker gone; what it leaves of the grace is the workers', who know how
   * to end a WebSocket. The front's tunnels end with theirs. Sessions end from the beginning on: a poll that waits for
   * events is a request that lasts.
   */
  async #close(graceMs: number, signal: NodeJS.Signals | undefined): Promise<void> {
    const { front, balancer, intakes, clock, settings, events } = this.#parts;
    const stood = this.#interruptStart === undefined;
    if (stood) events.emit("phase", { phase: "closing", signal, graceMs, delayMs: settings.shutdownDelayMs });
    this.#autoscaler?.stop();
    this.#operations.close();
    await this.#announceEnd(settings.shutdownDelayMs);
    const startedAt = clock.now();
    this.#supervisor.announceEnd(graceMs);
    await this.#probes?.close();
    await front.quiesce(graceMs);
    await this.#supervisor.stop(Math.max(0, graceMs - (clock.now() - startedAt)));
    await front.close(0);
    this.#guard.close();
    balancer.close();
    intakes.remove();
    this.#control?.close();
    this.#signals?.remove();
    this.#reloadSignal?.remove();
    if (stood) events.emit("phase", { phase: "closed" });
  }

  /** Whoever balances over several machines is told before anything ends. A cluster that never stood need tell nobody. */
  async #announceEnd(ms: number): Promise<void> {
    if (ms === 0 || this.#interruptStart !== undefined) return;
    this.#supervisor.announceDelay();
    await new Promise<void>((resolve) => this.#parts.clock.after(ms, resolve, { keepAlive: true }));
  }

  async #signalled(signal: NodeJS.Signals): Promise<void> {
    const interruptStart = this.#interruptStart;
    this.#closed ??= this.#close(this.#parts.settings.drainTimeoutMs, signal);
    await this.#closed;
    if (interruptStart === undefined) return;
    // Nobody has the cluster in hands yet: the program ends as it would have without us.
    takeDefaultEffect(signal);
    interruptStart(signal);
  }

  #abort(): void {
    this.#supervisor.kill();
    void this.#parts.front.close(0);
    this.#parts.intakes.remove();
    this.#control?.close();
  }

  #tellInstances(): void {
    for (const instance of this.status().instances) {
      const { id, state, pid } = instance;
      const told = this.#told.get(id);
      if (told !== undefined && told.state === state && told.pid === pid) continue;
      this.#told.set(id, { state, pid });
      this.#parts.events.emit("instance", instance);
    }
  }
}
