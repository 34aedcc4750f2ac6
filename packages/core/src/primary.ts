import type { ChildProcess } from "node:child_process";
import { randomSecret } from "./affinity/slot-tokens.ts";
import { Balancer } from "./balancer/balancer.ts";
import type { Routing } from "./balancer/routing.ts";
import { openControl } from "./cluster-control.ts";
import { clusterFront } from "./cluster-front.ts";
import { ClusterOperations, type ReloadReport } from "./cluster-operations.ts";
import { clusterRouting } from "./cluster-routing.ts";
import { ClusterEvents, type Listener } from "./control/cluster-events.ts";
import type { ControlServer } from "./control/control-server.ts";
import { publicUrl } from "./control/public-url.ts";
import { SlotCounters } from "./control/slot-counters.ts";
import { type ClusterStatus, clusterStatus, type InstanceStatus } from "./control/status.ts";
import type { PublicFront } from "./front/public-front.ts";
import { HealthTracker } from "./health/tracker.ts";
import { InstanceProbes } from "./instance-probes.ts";
import type { LinkError } from "./link/errors.ts";
import type { Clock } from "./model/clock.ts";
import type { Endpoint } from "./model/endpoint.ts";
import { LbError } from "./model/errors.ts";
import { ListenError } from "./model/listen-error.ts";
import type { Random } from "./model/random.ts";
import type { ClusterSettings } from "./options.ts";
import type { ClusterEventMap, PrimaryCluster } from "./primary-cluster.ts";
import { openPrivateSockets } from "./private-sockets.ts";
import type { ReloadOptions } from "./reload-options.ts";
import type { SupervisorEvent } from "./supervisor/events.ts";
import type { IntakeDirectory } from "./supervisor/intake-directory.ts";
import { MemoryLimit } from "./supervisor/memory-limit.ts";
import { planWorkerPorts, workerHost } from "./supervisor/ports.ts";
import { ReloadSignal } from "./supervisor/reload-signal.ts";
import { ShutdownSignals, takeDefaultEffect } from "./supervisor/shutdown-signals.ts";
import { Supervisor } from "./supervisor/supervisor.ts";
import { isInspected, type WorkerEntry } from "./supervisor/worker-entry.ts";
import { launchWorker } from "./supervisor/worker-process.ts";

export interface PrimaryOptions {
  readonly settings: ClusterSettings;
  readonly entry: WorkerEntry;
  readonly clock: Clock;
  readonly random: Random;
}

/** Grace for the workers of a start that failed: they have served next to nobody. */
const failedStartGraceMs = 1_000;

/**
 * Opens the public port, starts the workers, and resolves when all of them are ready. Requests that come before the
 * first of them is wait in the balancer's queue. On failure nothing is left.
 */
export async function startPrimary({ settings, entry, clock, random }: PrimaryOptions): Promise<PrimaryCluster> {
  const { strategy, health } = settings;
  const events = new ClusterEvents<ClusterEventMap>();
  const balancer = new Balancer({ strategy, health: new HealthTracker({ settings: health, clock }), clock });
  let primary: Primary | undefined;
  const secret = randomSecret();
  const routing = clusterRouting({
    settings: settings.affinity,
    secret,
    balancer,
    random,
    keyFailed: (error) => events.emit("affinity-key-failed", error),
  });
  const { front, relayed } = clusterFront({
    settings,
    balancer,
    routing,
    clock,
    workers: {
      portOf: (endpoint) => primary!.portOf(endpoint),
      childOf: (endpoint) => primary?.childOf(endpoint),
      gone: (endpoint) => primary?.workerGone(endpoint),
      linkDown: (endpoint, error) => primary?.linkDown(endpoint, error),
    },
    acceptFailed: (error) => events.emit("accept-failed", error),
    cannotMove: (detail) => events.emit("cannot-move", { detail }),
  });
  let intakes: IntakeDirectory | undefined;
  let port: number;
  let ports: readonly number[];
  try {
    port = await listen(front, settings);
    intakes = await openPrivateSockets(clock, events);
    const { instances, workerPort = port + 1 } = settings;
    ports = await planWorkerPorts({ publicPort: port, workerPort, instances, random });
  } catch (error) {
    intakes?.remove();
    balancer.close();
    await front.close(0);
    throw error;
  }
  primary = new Primary({
    settings,
    entry,
    clock,
    random,
    events,
    balancer,
    routing,
    front,
    relayed,
    secret,
    port,
    ports,
    intakes,
  });
  await primary.start();
  return primary;
}

async function listen(front: PublicFront, { host, port }: ClusterSettings): Promise<number> {
  try {
    return await front.listen();
  } catch (cause) {
    throw new ListenError({ host, port, remedy: 'the option "port" (or the environment variable PORT)' }, cause);
  }
}

interface Parts extends PrimaryOptions {
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

class Primary implements PrimaryCluster {
  readonly role = "primary";
  readonly port: number;
  readonly url: string;
  readonly #parts: Parts;
  readonly #supervisor: Supervisor;
  readonly #departed = new SlotCounters();
  readonly #signals: ShutdownSignals | undefined;
  readonly #probes: InstanceProbes | undefined;
  readonly #operations: ClusterOperations;
  readonly #reloadSignal: ReloadSignal | undefined;
  readonly #memory: MemoryLimit | undefined;
  /** What was last told of each instance. */
  readonly #told = new Map<number, { readonly state: InstanceStatus["state"]; readonly pid: number | null }>();
  #startedAt: number;
  #interruptStart: ((signal: NodeJS.Signals) => void) | undefined;
  #control: ControlServer | undefined;
  #closed: Promise<void> | undefined;

  constructor(parts: Parts) {
    const { settings, entry, clock, random, events, balancer, port, ports, intakes } = parts;
    this.#parts = parts;
    this.port = port;
    this.url = publicUrl(settings.host, port);
    this.#startedAt = clock.now();
    this.#supervisor = new Supervisor({
      entry,
      host: workerHost,
      handoff: settings.mode === "handoff",
      secret: settings.mode === "handoff" && settings.affinity !== undefined ? parts.secret : undefined,
      sessionPrefix: ({ slot, incarnation }) => parts.routing?.affinity.sessionPrefix(slot, incarnation),
      ports,
      env: settings.env,
      startTimeoutMs: settings.startTimeoutMs,
      heartbeat: isInspected(entry) ? false : settings.heartbeat,
      drainTimeoutMs: settings.drainTimeoutMs,
      restart: settings.restart,
      intakes,
      clock,
      random,
      launch: launchWorker,
      onEvent: (event) => this.#supervisorEvent(event),
      onVitals: (endpoint, { rssBytes }) => this.#memory?.check(endpoint, rssBytes),
      keepsSessions: parts.routing?.affinity.keepsSessions ?? false,
      onRoster: (roster, lingering) => this.#route(roster, lingering),
    });
    balancer.subscribe((event) => {
      if (event.type === "health") this.#tellInstances();
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
          host: workerHost,
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
      progress: (progress) => parts.events.emit("reload", progress),
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
    try {
      await Promise.race([this.#supervisor.start(), interrupted]);
    } catch (error) {
      await this.close({ graceMs: failedStartGraceMs });
      throw error;
    }
    this.#interruptStart = undefined;
    this.#startedAt = this.#parts.clock.now();
    await this.#openControl();
  }

  async #openControl(): Promise<void> {
    const { settings, events } = this.#parts;
    if (!settings.control) return;
    try {
      this.#control = await openControl(settings.name, this);
    } catch (error) {
      events.emit("control-failed", error as Error);
    }
  }

  /** The instance's own port, which outlives its workers. */
  portOf({ slot }: Endpoint): number {
    return this.#supervisor.ownPort(slot);
  }

  childOf(endpoint: Endpoint): ChildProcess | undefined {
    return this.#supervisor.childOf(endpoint);
  }

  workerGone(endpoint: Endpoint): void {
    this.#supervisor.lost(endpoint);
  }

  /** A link that was merely lost is the sign of a worker that died, which is told by its exit. */
  linkDown(endpoint: Endpoint, error: LinkError): void {
    if (error.code !== "LB_LINK_PROTOCOL" && error.code !== "LB_LINK_VERSION") return;
    this.#parts.events.emit("link-broken", { instance: endpoint.slot + 1, error });
    this.#supervisor.discard(endpoint);
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

  on<Name extends keyof ClusterEventMap>(name: Name, listener: Listener<ClusterEventMap[Name]>): this {
    this.#parts.events.on(name, listener);
    return this;
  }

  off<Name extends keyof ClusterEventMap>(name: Name, listener: Listener<ClusterEventMap[Name]>): this {
    this.#parts.events.off(name, listener);
    return this;
  }

  close({ graceMs = this.#parts.settings.drainTimeoutMs }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  /**
   * First the front, so that no request finds its worker gone; what it leaves of the grace is the workers'. Those end
   * their sessions meanwhile, or the front would wait for tunnels that have no end of their own.
   */
  async #close(graceMs: number): Promise<void> {
    const { front, balancer, intakes, clock } = this.#parts;
    const startedAt = clock.now();
    this.#supervisor.announceEnd(graceMs);
    await this.#probes?.close();
    await front.close(graceMs);
    await this.#supervisor.stop(Math.max(0, graceMs - (clock.now() - startedAt)));
    balancer.close();
    intakes.remove();
    this.#control?.close();
    this.#signals?.remove();
    this.#reloadSignal?.remove();
  }

  async #signalled(signal: NodeJS.Signals): Promise<void> {
    const interruptStart = this.#interruptStart;
    await this.close();
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

  /** Who joins is reachable before it is chosen; who leaves is not chosen any more before it becomes unreachable. */
  #route(roster: readonly Endpoint[], lingering: readonly Endpoint[]): void {
    const { front, balancer } = this.#parts;
    const before = balancer.roster;
    front.update([...new Set([...before.endpoints, ...roster])], before.lingering);
    balancer.update(roster, lingering);
    front.update(roster, lingering);
    this.#probes?.update(roster);
  }

  #supervisorEvent(event: SupervisorEvent): void {
    const { events } = this.#parts;
    this.#tellInstances();
    switch (event.kind) {
      case "starting":
      case "ready":
      case "draining":
      case "responsive":
        return;
      case "unresponsive":
        events.emit("unresponsive", event);
        return;
      case "exit":
        events.emit("exit", event);
        return;
      case "start-failed":
        events.emit("start-failed", event);
        return;
      case "crash-loop":
        events.emit("crash-loop", event);
        return;
      case "message":
        events.emit("message", event);
        return;
    }
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
