import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import { backendEndpointId } from "../model/backend-endpoint-id.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { LbError } from "../model/errors.ts";
import { addressText } from "../model/listener-address.ts";
import type { Random } from "../model/random.ts";
import type { BackendProgramSettings } from "../options/backend-program-options.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { HealthSettings } from "../options/health-options.ts";
import type { ReloadSettings } from "../options/reload-options.ts";
import type { ReachedEndpoint } from "../plane/plane-messages.ts";
import type { ProbeResult } from "../probe/http-probe.ts";
import { Prober } from "../probe/prober.ts";
import type { SupervisorEvent } from "../supervisor/events.ts";
import type { GroupGuard } from "../supervisor/group-guard.ts";
import { MemoryLimit } from "../supervisor/memory-limit.ts";
import { planWorkerPorts, reachedAt } from "../supervisor/ports.ts";
import { rollingReload } from "../supervisor/rolling-reload.ts";
import type { Slot } from "../supervisor/slot.ts";
import { type ClusterPorts, Supervisor } from "../supervisor/supervisor.ts";
import { Turns } from "../supervisor/turns.ts";
import type { WorkerOutput } from "../supervisor/worker-output.ts";
import { programInstances, programPool } from "./program-instances.ts";
import { restartSettings } from "./restart-settings.ts";
import type { Traffic } from "./traffic.ts";

export interface BackendProgramOptions {
  /** The backend's name. */
  readonly name: string;
  readonly program: BackendProgramSettings;
  readonly health: HealthSettings;
  /** What holds for the instances of the app holds for these too. */
  readonly settings: ClusterSettings;
  readonly traffic: Traffic;
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly guard: GroupGuard;
  readonly output: WorkerOutput | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/** The instances of a named backend that are a program of ours to run: supervised as the app's, and endpoints of their backend. */
export class BackendProgram {
  readonly name: string;
  readonly #options: BackendProgramOptions;
  readonly #supervisor: Supervisor;
  readonly #prober: Prober | undefined;
  readonly #turns = new Turns();
  readonly #closing = new AbortController();

  constructor(options: BackendProgramOptions) {
    const { name, program, health, settings, traffic, events, guard, output, clock, random } = options;
    this.name = name;
    this.#options = options;
    this.#supervisor = new Supervisor({
      workers: programInstances({
        exec: program.exec,
        settings,
        firstProbe: undefined,
        unused: (endpoint) => traffic.drained({ id: this.#idOf(endpoint) }),
        foundOpen: (instance, place) => events.emit("port-exposed", { backend: name, instance, place }),
        guard,
        output: output?.ofBackend(name),
        clock,
      }),
      startTimeoutMs: settings.startTimeoutMs,
      startParallelism: settings.startParallelism,
      drainTimeoutMs: settings.drainTimeoutMs,
      restart: settings.restart,
      heartbeat: false,
      clock,
      random,
    });
    if (health.active !== false) {
      const report = (endpoint: Endpoint, { kind }: ProbeResult) =>
        traffic.order({ kind: "probed", endpoint: this.#idOf(endpoint), up: kind === "up" });
      this.#prober = new Prober({ settings: health.active, clock, random, report });
    }
    this.#supervisor.subscribe((event) => this.#follow(event));
    if (program.maxMemoryMb !== undefined) this.#limitMemory(program.maxMemoryMb);
  }

  /** The ports of its instances; `isFree` knows those that others of ours will have. */
  ports(publicPort: number, isFree: (port: number) => Promise<boolean>): Promise<readonly number[]> {
    const { program, random } = this.#options;
    const { instances, workerPort } = program;
    return planWorkerPorts({ publicPort, workerPort, instances, random }, isFree);
  }

  /** Resolves when all instances are ready. */
  async start(ports: ClusterPorts): Promise<void> {
    await this.#named(this.#turns.take(() => this.#supervisor.start(ports)));
  }

  /** All of its instances anew. @throws ReloadError */
  async reload(settings: ReloadSettings): Promise<void> {
    await this.#turns.take(() => this.#roll(this.#supervisor.slots, settings));
  }

  /** Nothing begins any more, and what is under way is taken back. */
  abandon(reason: Error): void {
    this.#turns.close(reason);
    this.#closing.abort(reason);
    this.#supervisor.abandonStart();
  }

  /** No request comes any more; `stop` follows. */
  announceEnd(graceMs: number): void {
    this.#supervisor.announceEnd(graceMs);
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all([this.#prober?.close(), this.#supervisor.stop(graceMs)]);
  }

  kill(): void {
    this.#supervisor.kill();
  }

  #follow(event: SupervisorEvent): void {
    const { traffic, events } = this.#options;
    switch (event.kind) {
      case "roster":
        traffic.order({
          kind: "backend",
          backend: this.name,
          endpoints: event.taking.map((endpoint) => this.#reached(endpoint)),
        });
        this.#prober?.update(event.taking);
        return;
      case "ready": {
        const { kind, instance, pid } = event;
        events.emit("backend-program", { backend: this.name, instance, event: { kind, pid } });
        return;
      }
      case "exit":
      case "start-failed":
      case "start-hint":
      case "crash-loop":
        events.emit("backend-program", { backend: this.name, instance: event.instance, event });
        return;
      default:
    }
  }

  #limitMemory(megabytes: number): void {
    const { events, clock } = this.#options;
    const limit = new MemoryLimit(megabytes, clock, async (instance, rssBytes) => {
      events.emit("memory-exceeded", { backend: this.name, instance, rssBytes });
      const slot = this.#supervisor.slots[instance - 1];
      if (slot !== undefined) await this.#turns.take(() => this.#roll([slot], restartSettings));
    });
    this.#supervisor.subscribe((event) => {
      if (event.kind === "vitals" && !this.#closing.signal.aborted) limit.check(event.endpoint, event.vitals.rssBytes);
    });
  }

  async #roll(slots: readonly Slot[], settings: ReloadSettings): Promise<void> {
    const { settings: all, traffic, clock } = this.#options;
    const rolled = rollingReload({
      slots,
      settings,
      sparePort: () => this.#supervisor.sparePort(),
      checks: {
        verify: async () => {},
        watch: (endpoint, unhealthy) => traffic.watch({ id: this.#idOf(endpoint) }, unhealthy),
      },
      closing: this.#closing.signal,
      graceMs: all.drainTimeoutMs,
      clock,
      progress: () => {},
    });
    await this.#named(rolled);
  }

  /** What goes wrong says of which backend it is. */
  async #named(done: Promise<unknown>): Promise<void> {
    try {
      await done;
    } catch (error) {
      if (error instanceof LbError) error.message = `${this.name}: ${error.message}`;
      throw error;
    }
  }

  /** As the traffic calls it: where it is, and which instance, as the status has it too. */
  #idOf({ id, address }: Endpoint): string {
    return backendEndpointId(this.name, `http://${addressText(address)} (instance ${id})`);
  }

  #reached(endpoint: Endpoint): ReachedEndpoint {
    const { settings, program } = this.#options;
    const address = {
      kind: "tcp",
      host: reachedAt(settings.workerHost),
      port: this.#supervisor.directPort(endpoint),
    } as const;
    return {
      endpoint: { ...endpoint, id: this.#idOf(endpoint) },
      reach: { kind: "http1", address, supervised: true, pool: programPool(program.exec) },
      shownAs: `${address.host}:${address.port}`,
    };
  }
}
