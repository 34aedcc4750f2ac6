import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { Clock } from "../model/clock.ts";
import type { Random } from "../model/random.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { ExecSettings } from "../options/exec-options.ts";
import { affinityOf } from "../plane/plane-routing.ts";
import { agentWorkers } from "../supervisor/agent-workers.ts";
import type { GroupGuard } from "../supervisor/group-guard.ts";
import type { IntakeDirectory } from "../supervisor/intake-directory.ts";
import { SharedPorts } from "../supervisor/shared-ports.ts";
import { Supervisor } from "../supervisor/supervisor.ts";
import type { WorkerKind } from "../supervisor/worker-contract.ts";
import { isInspected, type WorkerEntry } from "../supervisor/worker-entry.ts";
import { WorkerOutput } from "../supervisor/worker-output.ts";
import type { ClusterSessions } from "./cluster-sessions.ts";
import type { Editions } from "./editions.ts";
import { firstProbe } from "./first-probe.ts";
import { programInstances } from "./program-instances.ts";
import type { Traffic } from "./traffic.ts";

export interface ClusterSupervisorOptions {
  readonly settings: ClusterSettings;
  /** What the instances run. */
  readonly run: WorkerEntry | ExecSettings;
  readonly editions: Editions;
  readonly traffic: Traffic;
  readonly sessions: ClusterSessions;
  /** Signs the affinity's cookies. */
  readonly secret: string;
  readonly intakes: IntakeDirectory;
  readonly guard: GroupGuard;
  readonly output: WorkerOutput | undefined;
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly clock: Clock;
  readonly random: Random;
}

/** The supervisor of a cluster's instances, none of which is started yet. */
export function clusterSupervisor(options: ClusterSupervisorOptions): Supervisor {
  const { settings, run, editions, sessions, clock, random } = options;
  const isProgram = "command" in run;
  return new Supervisor({
    workers: isProgram ? programsOf(options, run) : appsOf(options, run),
    edition: () => editions.current,
    startTimeoutMs: settings.startTimeoutMs,
    startParallelism: settings.startParallelism,
    drainTimeoutMs: settings.drainTimeoutMs,
    restart: settings.restart,
    // A program does not speak by itself.
    heartbeat: isProgram || isInspected(run) ? false : settings.heartbeat,
    portsAnywhere: settings.workerPort === 0,
    clock,
    random,
    keepsSessions: () => sessions.kept,
  });
}

function programsOf(options: ClusterSupervisorOptions, exec: ExecSettings): WorkerKind {
  const { settings, traffic, guard, output, events, clock } = options;
  return programInstances({
    exec,
    settings,
    firstProbe: firstProbe(settings.health, settings.workerHost, clock),
    unused: (endpoint) => traffic.drained(endpoint),
    foundOpen: (instance, place) => events.emit("port-exposed", { instance, place }),
    guard,
    output,
    clock,
  });
}

function appsOf(options: ClusterSupervisorOptions, entry: WorkerEntry): WorkerKind {
  const { settings, traffic, sessions, secret, intakes, guard, output, clock } = options;
  const { gate } = settings;
  return agentWorkers({
    entry,
    host: settings.workerHost,
    portEnv: settings.portEnv,
    sharedPorts: new SharedPorts({ publicHost: settings.host }),
    unused: (endpoint) => traffic.drained(endpoint),
    gate: gate && { options: gate, secret: affinityOf(settings) === undefined ? undefined : secret },
    sessionPrefix: (endpoint) => sessions.prefixOf(endpoint),
    events: settings.socketIo === false ? undefined : settings.socketIo,
    appMetrics: settings.admin !== false && settings.admin.appMetrics,
    requestIdHeader: settings.front.requestId ? settings.front.requestId.header : undefined,
    traced: settings.tracing !== false && settings.tracing.otlp !== false,
    onSpans: (spans, dropped) => traffic.order({ kind: "spans", spans, dropped }),
    startTimeoutMs: settings.startTimeoutMs,
    waitReady: settings.waitReady,
    firstProbe: firstProbe(settings.health, settings.workerHost, clock),
    heartbeat: isInspected(entry) ? false : settings.heartbeat,
    drainTimeoutMs: settings.drainTimeoutMs,
    stopSignal: settings.stopSignal,
    intakes,
    guard,
    clock,
    output,
    onSessions: () => {
      sessions.begin();
      traffic.order({ kind: "sessions" });
    },
  });
}

/** Reads what the instances write, if the settings say who gets it. */
export function workerOutput(
  { output }: ClusterSettings,
  events: ClusterEvents<ClusterEventMap>,
): WorkerOutput | undefined {
  if (output === undefined) return undefined;
  return new WorkerOutput((line) => {
    output(line);
    events.emit("output", line);
  });
}
