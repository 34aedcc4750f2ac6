import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { Clock } from "../model/clock.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { ExecSettings } from "../options/exec-options.ts";
import { agentWorkers } from "../supervisor/agent-workers.ts";
import type { GroupGuard } from "../supervisor/group-guard.ts";
import type { IntakeDirectory } from "../supervisor/intake-directory.ts";
import type { SharedPorts } from "../supervisor/shared-ports.ts";
import type { WorkerKind } from "../supervisor/worker-contract.ts";
import { isInspected, type WorkerEntry } from "../supervisor/worker-entry.ts";
import { WorkerOutput } from "../supervisor/worker-output.ts";
import { firstProbe } from "./first-probe.ts";
import { type GroupPlan, isAgents } from "./group-plan.ts";
import type { GroupSessions } from "./group-sessions.ts";
import { idInTraffic } from "./group-traffic.ts";
import { programInstances } from "./program-instances.ts";
import type { Traffic } from "./traffic.ts";

export interface GroupWorkersOptions {
  readonly plan: GroupPlan;
  readonly settings: ClusterSettings;
  readonly traffic: Traffic;
  readonly sessions: GroupSessions;
  /** Signs the affinity's cookies. */
  readonly secret: string;
  /** Of apps alone. */
  readonly intakes: IntakeDirectory | undefined;
  readonly sharedPorts: SharedPorts;
  readonly guard: GroupGuard;
  readonly output: WorkerOutput | undefined;
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly clock: Clock;
}

/** What the instances of a group are: processes with our agent in them, or any program. */
export function groupWorkers(options: GroupWorkersOptions): WorkerKind {
  const { run } = options.plan;
  return isAgents(run) ? apps(options, run) : programs(options, run);
}

function programs({ plan, settings, events, ...options }: GroupWorkersOptions, exec: ExecSettings): WorkerKind {
  const { backend, unserving } = plan;
  const { workerHost, heartbeat } = settings;
  return programInstances({
    exec,
    settings: { workerHost, heartbeat, startTimeoutMs: plan.startTimeoutMs },
    uptimeMs: unserving?.readyAfterMs,
    firstProbe: firstProbe(plan.health, workerHost, options.clock),
    unused: unusedIn(options.traffic, plan),
    foundOpen: (instance, place) =>
      events.emit("port-exposed", { ...(backend !== undefined && { backend }), instance, place }),
    guard: options.guard,
    output: outputOf(options.output, plan),
    clock: options.clock,
  });
}

function apps(
  { plan, settings, traffic, sessions, secret, intakes, sharedPorts, guard, output, clock }: GroupWorkersOptions,
  entry: WorkerEntry,
): WorkerKind {
  const { backend, unserving, stopExitCodes } = plan;
  const { gate, workerHost } = settings;
  return agentWorkers({
    entry,
    host: workerHost,
    portEnv: settings.portEnv,
    sharedPorts,
    unused: unusedIn(traffic, plan),
    gate:
      backend === undefined && gate !== undefined
        ? { options: gate, secret: plan.affinity === undefined ? undefined : secret }
        : undefined,
    unserving: unserving && { ...unserving, stopExitCodes },
    sessionPrefix: (endpoint) => sessions.prefixOf(endpoint),
    events: settings.socketIo === false ? undefined : settings.socketIo,
    // Of the app alone they are asked for.
    appMetrics: backend === undefined && settings.admin !== false && settings.admin.appMetrics,
    requestIdHeader: settings.front.requestId ? settings.front.requestId.header : undefined,
    traced: settings.tracing !== false && settings.tracing.otlp !== false,
    onSpans: (spans, dropped) => traffic.order({ kind: "spans", spans, dropped }),
    startTimeoutMs: plan.startTimeoutMs,
    waitReady: plan.waitReady,
    firstProbe: firstProbe(plan.health, workerHost, clock),
    heartbeat: isInspected(entry) ? false : settings.heartbeat,
    drainTimeoutMs: plan.drainTimeoutMs,
    stopSignal: plan.stopSignal,
    intakes: intakes!,
    guard,
    clock,
    output: outputOf(output, plan),
    onSessions: () => {
      sessions.begin();
      traffic.order({ kind: "sessions", ...(backend !== undefined && { backend }) });
    },
  });
}

function unusedIn(traffic: Traffic, { backend, unserving }: GroupPlan) {
  if (unserving !== undefined) return async () => {};
  return (endpoint: Parameters<WorkerUnused>[0]) => traffic.drained({ id: idInTraffic(endpoint, backend) });
}

type WorkerUnused = Parameters<typeof agentWorkers>[0]["unused"];

function outputOf(output: WorkerOutput | undefined, { backend }: GroupPlan) {
  return backend === undefined ? output : output?.ofBackend(backend);
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
