import { resolve } from "node:path";
import { SlotCounters } from "../control/slot-counters.ts";
import type { InstanceStatus, SupervisedGroup } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { Clock } from "../model/clock.ts";
import type { Random } from "../model/random.ts";
import type { BackendProgramSettings } from "../options/backend-program-options.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { HealthSettings } from "../options/health-options.ts";
import type { SupervisorEvent } from "../supervisor/events.ts";
import type { GroupGuard } from "../supervisor/group-guard.ts";
import { planWorkerPorts } from "../supervisor/ports.ts";
import type { ReloadProgress } from "../supervisor/rolling-reload.ts";
import { type ClusterPorts, Supervisor } from "../supervisor/supervisor.ts";
import type { WorkerOutput } from "../supervisor/worker-output.ts";
import type { Autoscaler } from "./autoscaler.ts";
import { Editions } from "./editions.ts";
import type { Environment } from "./environment.ts";
import { firstProbe } from "./first-probe.ts";
import { GroupOperations } from "./group-operations.ts";
import { GroupTraffic, idInTraffic } from "./group-traffic.ts";
import { groupAutoscaler, limitMemory } from "./group-upkeep.ts";
import { type InstanceProbes, instanceProbes } from "./instance-probes.ts";
import { programInstances } from "./program-instances.ts";
import { successorChecks } from "./successor-checks.ts";
import type { Traffic } from "./traffic.ts";

export interface BackendProgramOptions {
  /** The backend's name. */
  readonly name: string;
  readonly program: BackendProgramSettings;
  readonly health: HealthSettings;
  /** What holds for the instances of the app holds for these too. */
  readonly settings: ClusterSettings;
  readonly environment: Environment;
  readonly traffic: Traffic;
  /** How all of them are, as the cluster's status has it. */
  readonly instances: (backend: string) => readonly InstanceStatus[];
  readonly reloading: (progress: ReloadProgress, backend: string) => void;
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly guard: GroupGuard;
  readonly output: WorkerOutput | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/** The instances of a named backend that are a program of ours to run: supervised as the app's, and endpoints of their backend. */
export class BackendProgram {
  readonly name: string;
  readonly operations: GroupOperations;
  readonly #options: BackendProgramOptions;
  readonly #supervisor: Supervisor;
  readonly #traffic: GroupTraffic;
  readonly #probes: InstanceProbes | undefined;
  readonly #autoscaler: Autoscaler | undefined;
  /** Of endpoints that the balancer has forgotten. */
  readonly #departed = new SlotCounters();

  constructor(options: BackendProgramOptions) {
    const { name, program, health, settings, traffic, events, clock, random } = options;
    const { workerHost: host, startTimeoutMs, drainTimeoutMs } = settings;
    this.name = name;
    this.#options = options;
    const editions = new Editions(
      { cwd: resolve(options.environment.directory, program.exec.cwd ?? "") },
      options.environment.atStart,
    );
    const supervisor = supervisorOf(options, editions);
    this.#supervisor = supervisor;
    this.#traffic = new GroupTraffic({ traffic, backend: name, supervisor, host, exec: program.exec });
    this.#probes = instanceProbes({ health, host, traffic: this.#traffic, supervisor, clock, random });
    this.operations = new GroupOperations({
      backend: name,
      supervisor,
      editions,
      environment: options.environment,
      traffic: this.#traffic,
      checks: successorChecks(startTimeoutMs, this.#traffic, this.#probes),
      drainTimeoutMs,
      clock,
      progress: (progress) => options.reloading(progress, name),
    });
    const upkeep = { backend: name, settings: program, supervisor, operations: this.operations, events, clock };
    const parts = { ...upkeep, instances: () => options.instances(name) };
    limitMemory(parts);
    this.#autoscaler = groupAutoscaler(parts);
    supervisor.subscribe((event) => this.#follow(event));
    traffic.subscribe((fact) => {
      if (fact.kind === "backend-drained" && fact.backend === name) this.#departed.add(fact.slot, fact);
    });
  }

  get state(): SupervisedGroup {
    return { instances: this.#supervisor.snapshot(), departed: this.#departed };
  }

  /** The ports of its instances; `isFree` knows those that others of ours will have. */
  ports(publicPort: number, isFree: (port: number) => Promise<boolean>): Promise<readonly number[]> {
    const { program, random } = this.#options;
    const { instances, workerPort } = program;
    return planWorkerPorts({ publicPort, workerPort, instances, random }, isFree);
  }

  /** Resolves when all instances are ready. */
  start(ports: ClusterPorts): Promise<void> {
    return this.operations.first(() => this.#supervisor.start(ports));
  }

  /** All of the cluster is ready. */
  begin(): void {
    this.#autoscaler?.begin();
  }

  /** Nothing begins any more, and what is under way is taken back. */
  abandon(reason: Error): void {
    this.#autoscaler?.stop();
    this.operations.close(reason);
  }

  /** No request comes any more; `stop` follows. */
  announceEnd(graceMs: number): void {
    this.#supervisor.announceEnd(graceMs);
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all([this.#probes?.close(), this.#supervisor.stop(graceMs)]);
  }

  kill(): void {
    this.#supervisor.kill();
  }

  #follow(event: SupervisorEvent): void {
    const { events } = this.#options;
    switch (event.kind) {
      case "roster":
        this.#traffic.take(event.taking);
        this.#probes?.update(event.taking);
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
}

function supervisorOf(options: BackendProgramOptions, editions: Editions): Supervisor {
  const { name, program, health, settings, traffic, events, guard, output, clock, random } = options;
  const { startTimeoutMs, startParallelism, drainTimeoutMs, restart } = settings;
  return new Supervisor({
    workers: programInstances({
      exec: program.exec,
      settings,
      firstProbe: firstProbe(health, settings.workerHost, clock),
      unused: (endpoint) => traffic.drained({ id: idInTraffic(endpoint, name) }),
      foundOpen: (instance, place) => events.emit("port-exposed", { backend: name, instance, place }),
      guard,
      output: output?.ofBackend(name),
      clock,
    }),
    edition: () => editions.current,
    startTimeoutMs,
    startParallelism,
    drainTimeoutMs,
    restart,
    heartbeat: false,
    portsAnywhere: program.workerPort === 0,
    clock,
    random,
  });
}
