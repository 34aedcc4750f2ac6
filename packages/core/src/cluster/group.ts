import { resolve } from "node:path";
import { SlotCounters } from "../control/slot-counters.ts";
import type { InstanceStatus, SupervisedGroup } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { Clock } from "../model/clock.ts";
import type { Random } from "../model/random.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { GroupGuard } from "../supervisor/group-guard.ts";
import { isPortFree, planWorkerPorts } from "../supervisor/ports.ts";
import type { ReloadProgress } from "../supervisor/rolling-reload.ts";
import { SharedPorts } from "../supervisor/shared-ports.ts";
import { type ClusterPorts, noPort, Supervisor } from "../supervisor/supervisor.ts";
import { isInspected } from "../supervisor/worker-entry.ts";
import type { WorkerOutput } from "../supervisor/worker-output.ts";
import { goingOn } from "../upgrade/estate.ts";
import type { Predecessor } from "../upgrade/predecessor.ts";
import type { Autoscaler } from "./autoscaler.ts";
import { CronReloads } from "./cron-reloads.ts";
import { Editions } from "./editions.ts";
import type { Environment } from "./environment.ts";
import { withChildHook } from "./file-entry.ts";
import { emitBackendEvent } from "./group-events.ts";
import { GroupOperations } from "./group-operations.ts";
import { type GroupPlan, isAgents } from "./group-plan.ts";
import { GroupRoster } from "./group-roster.ts";
import { GroupSessions } from "./group-sessions.ts";
import { GroupTraffic, type InstancesInTraffic, noTraffic } from "./group-traffic.ts";
import { groupAutoscaler, limitMemory } from "./group-upkeep.ts";
import { groupWorkers } from "./group-workers.ts";
import { type InstanceProbes, instanceProbes } from "./instance-probes.ts";
import type { PrivateSockets } from "./private-sockets.ts";
import { successorChecks } from "./successor-checks.ts";
import type { Traffic } from "./traffic.ts";

export interface GroupSurroundings {
  readonly settings: ClusterSettings;
  readonly environment: Environment;
  readonly traffic: Traffic;
  /** Signs what affinities give clients. */
  readonly secret: string;
  /** How all instances are, of the app or of this backend, as the cluster's status has it. */
  readonly instances: (backend: string | undefined) => readonly InstanceStatus[];
  readonly reloading: (progress: ReloadProgress, backend: string | undefined) => void;
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly guard: GroupGuard;
  readonly output: WorkerOutput | undefined;
  /** In whose place this primary is; undefined: in nobody's. */
  readonly predecessor: Predecessor | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/** The instances of one program, none of which is started yet: the app's, or those that a named backend is. */
export class Group {
  readonly plan: GroupPlan;
  readonly supervisor: Supervisor;
  readonly operations: GroupOperations;
  /** What apps alone have: where they are reached, and their hub. */
  readonly sockets: PrivateSockets | undefined;
  /** Ports of the apps' own. */
  readonly sharedPorts: SharedPorts;
  readonly #predecessor: Predecessor | undefined;
  readonly #random: Random;
  readonly #probes: InstanceProbes | undefined;
  readonly #autoscaler: Autoscaler | undefined;
  readonly #cron: CronReloads;
  /** Of endpoints that the balancer has forgotten. */
  readonly #departed = new SlotCounters();
  #ports: ClusterPorts = { public: 0, own: [] };

  constructor(plan: GroupPlan, sockets: PrivateSockets | undefined, around: GroupSurroundings) {
    const { settings, environment, traffic, secret, events, clock, random } = around;
    const { backend, run, health, startTimeoutMs, drainTimeoutMs } = plan;
    const { workerHost: host, mode } = settings;
    this.plan = plan;
    this.sockets = sockets;
    this.sharedPorts = new SharedPorts({
      publicHost: settings.host,
      handed: around.predecessor?.estate.sharedPorts.filter((one) => one.backend === (backend ?? null)),
    });
    this.#predecessor = around.predecessor;
    this.#random = random;
    const sessions = new GroupSessions(plan, secret);
    const editions = editionsOf(plan, environment);
    const supervisor = new Supervisor({
      workers: groupWorkers({ ...around, plan, sessions, intakes: sockets, sharedPorts: this.sharedPorts }),
      edition: () => editions.current,
      startTimeoutMs,
      startParallelism: settings.startParallelism,
      drainTimeoutMs,
      restart: plan.restart,
      stopExitCodes: plan.stopExitCodes,
      // A program does not speak by itself.
      heartbeat: !isAgents(run) || isInspected(run) ? false : settings.heartbeat,
      ports: plan.unserving !== undefined ? "none" : plan.workerPort === 0 ? "anywhere" : "consecutive",
      clock,
      random,
      keepsSessions: () => sessions.kept,
    });
    this.supervisor = supervisor;
    let inTraffic: InstancesInTraffic = noTraffic;
    if (plan.unserving === undefined) {
      const group = new GroupTraffic({ traffic, backend, supervisor, host, exec: isAgents(run) ? undefined : run });
      this.#probes = instanceProbes({ health, traffic: group, clock, random });
      new GroupRoster({ mode, supervisor, traffic, group, probes: this.#probes });
      inTraffic = group;
    }
    this.operations = new GroupOperations({
      backend,
      serves: plan.unserving === undefined,
      supervisor,
      editions,
      environment,
      traffic: inTraffic,
      checks: successorChecks(startTimeoutMs, inTraffic, this.#probes),
      drainTimeoutMs,
      clock,
      progress: (progress) => around.reloading(progress, backend),
    });
    const { operations } = this;
    const upkeep = { backend, settings: plan, supervisor, operations, events, clock };
    const parts = { ...upkeep, instances: () => around.instances(backend) };
    limitMemory(parts);
    this.#autoscaler = groupAutoscaler(parts);
    this.#cron = new CronReloads({ pattern: plan.restartCron, clock, reload: () => operations.reloadSoon() });
    if (backend === undefined) return;
    supervisor.subscribe((event) => emitBackendEvent(events, backend, event));
    traffic.subscribe((fact) => {
      if (fact.kind === "backend-drained" && fact.backend === backend) this.#departed.add(fact.slot, fact);
    });
  }

  get state(): SupervisedGroup {
    const { run, unserving } = this.plan;
    return {
      kind: unserving !== undefined ? "worker" : isAgents(run) ? "app" : "program",
      instances: this.supervisor.snapshot(),
      departed: this.#departed,
    };
  }

  /**
   * Chooses the ports of its instances; `isFree` knows those that others of ours will have.
   *
   * @throws OptionError, LbError `LB_PORT_BUSY`
   */
  async choosePorts(publicPort: number, isFree?: (port: number) => Promise<boolean>): Promise<readonly number[]> {
    const { workerPort = publicPort + 1, unserving } = this.plan;
    const instances = goingOn(this.plan, this.#predecessor?.estate.groups ?? []);
    const own =
      unserving === undefined
        ? await planWorkerPorts({ publicPort, workerPort, instances, random: this.#random }, isFree)
        : Array.from({ length: instances }, () => noPort);
    this.#ports = { public: publicPort, own, elsewhere: this.#predecessor && (await takenBy(this.#predecessor, own)) };
    return own;
  }

  /** How many there are to be by the settings. */
  get configured(): number {
    return this.plan.instances;
  }

  /** Resolves when all instances are ready. */
  start(): Promise<void> {
    return this.operations.first(() => this.supervisor.start(this.#ports));
  }

  /** All of the cluster is ready. */
  begin(): void {
    this.#autoscaler?.begin();
    this.#cron.begin();
  }

  /** Nothing begins any more, and what is under way is taken back. */
  abandon(reason: Error): void {
    this.#autoscaler?.stop();
    this.#cron.stop();
    this.operations.close(reason);
  }

  async endProbes(): Promise<void> {
    await this.#probes?.close();
  }
}

/** Where instances of another primary listen for as long as that drains. */
async function takenBy({ gone: left }: Predecessor, ports: readonly number[]): Promise<ClusterPorts["elsewhere"]> {
  const looked = ports.map(async (port) => (port === noPort || (await isPortFree(port)) ? [] : [port]));
  return { ports: new Set((await Promise.all(looked)).flat()), left };
}

/** What its workers are started as: by way of the links through which this process was meant to run. */
function editionsOf({ backend, run, env: own }: GroupPlan, { directory, atStart }: Environment): Editions {
  const cwd = resolve(directory, run.cwd ?? "");
  const isRunByUs = isAgents(run) && backend !== undefined;
  return new Editions(isAgents(run) ? { cwd, file: run.file } : { cwd }, {
    env: atStart,
    own: (shared) => (isRunByUs ? withChildHook({ ...shared, ...own }) : { ...shared, ...own }),
  });
}
