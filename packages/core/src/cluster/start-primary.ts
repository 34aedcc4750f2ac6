import { dirname, resolve } from "node:path";
import { randomSecret } from "../affinity/slot-tokens.ts";
import type { ClusterStatus } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import { ClusterEvents } from "../events/cluster-events.ts";
import { ClusterLog } from "../log/cluster-log.ts";
import { EntryMemory } from "../log/entry-memory.ts";
import type { LogEntry } from "../log/log-entry.ts";
import { type Clock, systemWallClock } from "../model/clock.ts";
import type { Random } from "../model/random.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { ExecSettings } from "../options/exec-options.ts";
import { LocalPlane } from "../plane/local-plane.ts";
import { GroupGuard } from "../supervisor/group-guard.ts";
import { planWorkerPorts } from "../supervisor/ports.ts";
import type { ClusterPorts } from "../supervisor/supervisor.ts";
import type { WorkerEntry } from "../supervisor/worker-entry.ts";
import { killMarginMs } from "../supervisor/worker-times.ts";
import { notifySystemd } from "../systemd/service.ts";
import type { ServiceEnvironment } from "../systemd/service-environment.ts";
import { removeAbandoned } from "./abandoned-directories.ts";
import { Alerting } from "./alerts/alerting.ts";
import { thisMachine } from "./alerts/machine.ts";
import { messengersFor } from "./alerts/messengers.ts";
import { AppMetrics } from "./app-metrics.ts";
import { BackendPrograms } from "./backend-programs.ts";
import { ClusterAdmin } from "./cluster-admin.ts";
import { ClusterControl } from "./cluster-control.ts";
import { ClusterLifetime } from "./cluster-lifetime.ts";
import { ClusterOperations } from "./cluster-operations.ts";
import { ClusterRoster } from "./cluster-roster.ts";
import { ClusterSessions } from "./cluster-sessions.ts";
import { ClusterState } from "./cluster-state.ts";
import { clusterSupervisor, workerOutput } from "./cluster-supervisor.ts";
import { Denials } from "./denials.ts";
import { Editions } from "./editions.ts";
import { Environment } from "./environment.ts";
import { GroupOperations } from "./group-operations.ts";
import { GroupTraffic } from "./group-traffic.ts";
import { groupAutoscaler, limitMemory } from "./group-upkeep.ts";
import { healthEndpoints } from "./health-endpoints.ts";
import { instanceProbes } from "./instance-probes.ts";
import { IssuedCertificates, type IssuedCertificatesOptions } from "./issued-certificates.ts";
import { NamedBackends } from "./named-backends.ts";
import { openLog } from "./open-log.ts";
import { operatorActions } from "./operator-actions.ts";
import { Primary } from "./primary.ts";
import type { PrimaryCluster } from "./primary-cluster.ts";
import { openPrivateSockets } from "./private-sockets.ts";
import { Profiles } from "./profiles.ts";
import { mainListener, type OpenListener, openListeners } from "./public-listeners.ts";
import { successorChecks } from "./successor-checks.ts";
import { tallyEvents } from "./tallies.ts";
import { Traffic } from "./traffic.ts";
import { emitTrafficEvent } from "./traffic-events.ts";
import { trafficHistory } from "./traffic-history.ts";

export interface StartOptions {
  readonly settings: ClusterSettings;
  /** What the instances run. */
  readonly run: WorkerEntry | ExecSettings;
  /** Where files that are named in the options are. */
  readonly directory: string;
  /** Who has started this process, and wants to know how it is; undefined: nobody does. */
  readonly service?: ServiceEnvironment | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Puts a cluster together, each part of those before it, opens the public listeners and starts the workers. Resolves when all
 * of them are ready. On failure nothing is left.
 */
export async function startPrimary({
  settings,
  run,
  directory,
  service,
  clock,
  random,
}: StartOptions): Promise<PrimaryCluster> {
  const environment = await Environment.at({ files: settings.envFile, env: settings.env, directory });
  const editions = new Editions(
    "command" in run ? { cwd: resolve(directory, run.cwd ?? "") } : run,
    environment.atStart,
  );
  const events = new ClusterEvents<ClusterEventMap>();
  const secret = randomSecret();
  const health = healthEndpoints(settings, (): ClusterStatus => state.status());
  const traffic = new Traffic(new LocalPlane({ settings, secret, health, clock, random }));
  traffic.subscribe((fact) => emitTrafficEvent(events, fact));
  const issued = issuedCertificates({ settings, traffic, events, clock, random });
  const messengers = settings.alerts && messengersFor(settings.alerts, systemWallClock);
  const sessions = new ClusterSessions(settings, secret);
  const intakes = await openPrivateSockets(clock, events);
  void removeAbandoned(intakes.parent, systemWallClock());
  const guard = new GroupGuard({
    graceMs: settings.drainTimeoutMs + killMarginMs,
    clock,
    failed: (error) => events.emit("guard-failed", error),
  });
  const output = workerOutput(settings, events);
  const supervisor = clusterSupervisor({
    settings,
    run,
    editions,
    traffic,
    sessions,
    secret,
    intakes,
    guard,
    output,
    events,
    clock,
    random,
  });
  const history = trafficHistory({ traffic, supervisor, clock, wallClock: systemWallClock });
  const state: ClusterState = new ClusterState({
    history,
    tallies: tallyEvents(events),
    hub: intakes.hub,
    settings,
    supervisor,
    traffic,
    events,
    clock,
    issued,
    programs: () => programs.states,
    admin: () => admin.url,
  });
  const alerting =
    settings.alerts &&
    new Alerting({
      settings: settings.alerts,
      messengers: messengers ?? [],
      name: settings.name,
      sight: state,
      machine: thisMachine(),
      events,
      clock,
      wallClock: systemWallClock,
      random,
    });
  let primary: Primary | undefined;
  const memory = new EntryMemory();
  const remember = (entry: LogEntry) => memory.add(entry, systemWallClock());
  new ClusterLog({ events, status: () => state.status(), clock, write: remember });
  const profiles = new Profiles({
    mode: settings.mode,
    supervisor,
    programs: () => programs.names,
    traffic,
    directory: dirname(intakes.hubPath),
    clock,
  });
  const admin: ClusterAdmin = new ClusterAdmin({
    settings: settings.admin,
    sight: state,
    events,
    memory,
    output,
    appMetrics:
      settings.admin !== false && settings.admin.appMetrics ? new AppMetrics({ supervisor, clock }) : undefined,
    actions: () => primary && operatorActions(primary),
    profiles,
    clock,
  });
  const backends = new NamedBackends({ backends: settings.backends, traffic, events, clock, random });
  const programs: BackendPrograms = new BackendPrograms({
    settings,
    environment,
    traffic,
    instances: (backend) => state.instancesOf(backend),
    reloading: (progress, backend) => state.reloading(progress, backend),
    events,
    guard,
    output,
    clock,
    random,
  });
  const { health: appHealth, workerHost: host, exec, startTimeoutMs, drainTimeoutMs } = settings;
  const group = new GroupTraffic({ traffic, backend: undefined, supervisor, host, exec });
  const probes = instanceProbes({ health: appHealth, host, traffic: group, supervisor, clock, random });
  new ClusterRoster({ settings, supervisor, traffic, group, probes });
  const app = new GroupOperations({
    backend: undefined,
    supervisor,
    editions,
    environment,
    traffic: group,
    checks: successorChecks(startTimeoutMs, group, probes),
    drainTimeoutMs,
    clock,
    progress: (progress) => state.reloading(progress),
  });
  const operations = new ClusterOperations({
    app,
    hasApp: settings.instances > 0,
    programs,
    environment,
    traffic,
    https: settings.front.https,
    issued,
    backends,
    clock,
  });
  const instances = () => state.status().instances;
  const upkeep = { backend: undefined, settings, supervisor, instances, operations: app, events, clock };
  limitMemory(upkeep);
  const autoscaler = groupAutoscaler(upkeep);
  const control = new ClusterControl({ clock, random });
  let listeners: readonly OpenListener[];
  let ports: ClusterPorts;
  try {
    await issued?.load();
    await traffic.openAccessLog();
    await admin.open();
    listeners = await openListeners(traffic, settings);
    await backends.begin(listeners.map(({ address }) => address));
    ports = await planPorts(mainListener(listeners), settings, random);
  } catch (error) {
    admin.close();
    intakes.remove();
    await backends.close();
    await traffic.close();
    history.stop();
    throw error;
  }
  state.listens(listeners);
  const lifetime = new ClusterLifetime({
    settings,
    state,
    traffic,
    probes,
    backends,
    programs,
    supervisor,
    guard,
    operations,
    autoscaler,
    control,
    intakes,
    issued,
    history,
    alerting,
    admin,
    clock,
  });
  const denials = new Denials({ given: settings.front.denyList, traffic, clock });
  primary = new Primary({ settings, state, operations, denials, alerting, lifetime, admin, output, events });
  openLog(settings.log, events, { status: () => state.status(), clock });
  notifySystemd(service, { events, status: () => state.status(), clock });
  issued?.begin();
  const controlled = settings.control
    ? control.open(settings.name, { primary, profiles, sight: state, memory, clock }, events)
    : undefined;
  await lifetime.start(ports);
  const failure = await controlled;
  // Whoever awaits the start listens by then.
  if (failure !== undefined) setImmediate(() => events.emit("control-failed", failure));
  return primary;
}

function issuedCertificates({
  settings,
  ...parts
}: Omit<IssuedCertificatesOptions, "settings" | "wallClock"> & Pick<StartOptions, "settings">) {
  const { https } = settings.front;
  if (https === false || https.acme === undefined) return undefined;
  return new IssuedCertificates({ ...parts, settings: https.acme, wallClock: systemWallClock });
}

async function planPorts({ address }: OpenListener, settings: ClusterSettings, random: Random): Promise<ClusterPorts> {
  const publicPort = address.kind === "tcp" ? address.port : settings.port;
  const { instances, workerPort = publicPort + 1 } = settings;
  return { public: publicPort, own: await planWorkerPorts({ publicPort, workerPort, instances, random }) };
}
