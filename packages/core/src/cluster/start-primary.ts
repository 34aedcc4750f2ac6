import { dirname } from "node:path";
import { randomSecret } from "../affinity/slot-tokens.ts";
import type { ClusterStatus } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import { ClusterEvents } from "../events/cluster-events.ts";
import { ClusterLog } from "../log/cluster-log.ts";
import { EntryMemory } from "../log/entry-memory.ts";
import type { LogEntry } from "../log/log-entry.ts";
import { type Clock, systemWallClock } from "../model/clock.ts";
import type { Random } from "../model/random.ts";
import type { ClusterOptions } from "../options/cluster-options.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { ExecSettings } from "../options/exec-options.ts";
import type { InheritedSockets } from "../options/inherited-sockets.ts";
import { LocalPlane } from "../plane/local-plane.ts";
import { GroupGuard } from "../supervisor/group-guard.ts";
import type { ReloadProgress } from "../supervisor/rolling-reload.ts";
import type { WorkerEntry } from "../supervisor/worker-entry.ts";
import { killMarginMs } from "../supervisor/worker-times.ts";
import { notifySystemd } from "../systemd/service.ts";
import type { ServiceEnvironment } from "../systemd/service-environment.ts";
import type { ServiceNotices } from "../systemd/service-notices.ts";
import { handedAdmin, withHanded } from "../upgrade/estate.ts";
import { removeAbandoned } from "./abandoned-directories.ts";
import { Alerting } from "./alerts/alerting.ts";
import { thisMachine } from "./alerts/machine.ts";
import { messengersFor } from "./alerts/messengers.ts";
import { AppMetrics } from "./app-metrics.ts";
import { OptionApplier, type OptionReading } from "./apply-options.ts";
import { ClusterAdmin } from "./cluster-admin.ts";
import { ClusterControl, type ControlledCluster } from "./cluster-control.ts";
import { ClusterLifetime } from "./cluster-lifetime.ts";
import { ClusterOperations } from "./cluster-operations.ts";
import { ClusterState } from "./cluster-state.ts";
import { ClusterUpgrade } from "./cluster-upgrade.ts";
import { collectEstate } from "./collect-estate.ts";
import { Configuration } from "./configuration.ts";
import { Denials } from "./denials.ts";
import { Environment } from "./environment.ts";
import { Group, type GroupSurroundings } from "./group.ts";
import { appPlan, backendPlan, type GroupPlan, isAgents } from "./group-plan.ts";
import { workerOutput } from "./group-workers.ts";
import { Groups } from "./groups.ts";
import { healthEndpoints } from "./health-endpoints.ts";
import { IssuedCertificates, type IssuedCertificatesOptions } from "./issued-certificates.ts";
import { NamedBackends } from "./named-backends.ts";
import { openLog } from "./open-log.ts";
import { operatorActions } from "./operator-actions.ts";
import { OptionsInForce } from "./options-in-force.ts";
import { Primary } from "./primary.ts";
import type { PrimaryCluster } from "./primary-cluster.ts";
import { openPrivateSockets, type PrivateSockets } from "./private-sockets.ts";
import { Profiles } from "./profiles.ts";
import { type OpenListener, openListeners, publicPorts } from "./public-listeners.ts";
import type { Replaceable } from "./replaceable.ts";
import { takeOver } from "./take-over.ts";
import { tallyEvents } from "./tallies.ts";
import { Traffic } from "./traffic.ts";
import { emitTrafficEvent } from "./traffic-events.ts";
import { trafficHistory } from "./traffic-history.ts";

export interface StartOptions {
  readonly settings: ClusterSettings;
  /** Of which those were made, and how others are. */
  readonly given: ClusterOptions;
  readonly reading: OptionReading;
  /** What the instances run. */
  readonly run: WorkerEntry | ExecSettings;
  /** Where files that are named in the options are. */
  readonly directory: string;
  /** Who has started this process, and wants to know how it is; undefined: nobody does. */
  readonly service?: ServiceEnvironment | undefined;
  /** What that one has opened. */
  readonly inherited: InheritedSockets;
  /** Another primary may take the place of this one. Default: none may. */
  readonly replaceable?: Replaceable | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Puts a cluster together, each part of those before it, opens the public listeners and starts the workers. Resolves when all
 * of them are ready. On failure nothing is left.
 */
export async function startPrimary({
  settings: parsed,
  given,
  reading,
  run,
  directory,
  service,
  inherited,
  replaceable,
  clock,
  random,
}: StartOptions): Promise<PrimaryCluster> {
  const inForce = new OptionsInForce(given, parsed);
  const predecessor = replaceable?.predecessor;
  const before = predecessor?.estate;
  const { front } = parsed;
  const settings = { ...parsed, front: { ...front, listeners: withHanded(front.listeners, before?.listeners ?? []) } };
  const environment = await Environment.at({ files: settings.envFile, env: settings.env, directory });
  const events = new ClusterEvents<ClusterEventMap>();
  const secret = before?.secret ?? randomSecret();
  const health = healthEndpoints(settings, (): ClusterStatus => state.status());
  const traffic = new Traffic(
    new LocalPlane({ settings, secret, ticketKeys: before?.ticketKeys, health, clock, random }),
  );
  traffic.subscribe((fact) => emitTrafficEvent(events, fact));
  const issued = issuedCertificates({ settings, traffic, events, clock, random });
  const messengers = settings.alerts && messengersFor(settings.alerts, systemWallClock);
  const plans = [
    appPlan(settings, run),
    ...Object.entries(settings.backends).flatMap(([name, backend]) =>
      backend.program === undefined ? [] : backendPlan(name, backend, backend.program, settings),
    ),
  ];
  const sockets = await openAllSockets(plans, { clock, events });
  void removeAbandoned(sockets[0]!.parent, systemWallClock());
  const guard = new GroupGuard({
    graceMs: Math.max(...plans.map(({ drainTimeoutMs }) => drainTimeoutMs)) + killMarginMs,
    clock,
    failed: (error) => events.emit("guard-failed", error),
  });
  const output = workerOutput(settings, events);
  const around = {
    settings,
    environment,
    traffic,
    secret,
    instances: (backend: string | undefined) => state.instancesOf(backend),
    reloading: (progress: ReloadProgress, backend: string | undefined) => state.reloading(progress, backend),
    events,
    guard,
    output,
    predecessor,
    clock,
    random,
  };
  const [app, ...others] = plans.map((plan, at) => new Group(plan, sockets[at], around));
  const groups = new Groups(app!, others);
  const { supervisor } = groups.app;
  const history = trafficHistory({ traffic, supervisor, clock, wallClock: systemWallClock });
  const state: ClusterState = new ClusterState({
    history,
    tallies: tallyEvents(events),
    hub: () => groups.hub,
    settings: () => inForce.settings,
    supervisor,
    traffic,
    events,
    clock,
    issued,
    groups: () => groups.states,
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
    groupOf: (name) => groups.profiled(name),
    traffic,
    directory: dirname(sockets[0]!.hubPath),
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
    before: handedAdmin(settings.admin, before?.admin ?? null),
    clock,
  });
  const backends = new NamedBackends({ backends: settings.backends, traffic, events, clock, random });
  const operations = new ClusterOperations({
    groups,
    hasApp: settings.instances > 0,
    environment,
    traffic,
    https: settings.front.https,
    issued,
    backends,
    clock,
  });
  const control = new ClusterControl({ clock, random, before: before?.pid });
  let listeners: readonly OpenListener[];
  try {
    await issued?.load();
    await traffic.openAccessLog();
    await admin.open();
    listeners = await openListeners(traffic, settings);
    await backends.begin(listeners.map(({ address }) => address));
    await groups.choosePorts(publicPorts(listeners, settings));
  } catch (error) {
    admin.close();
    groups.removeSockets();
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
    backends,
    groups,
    guard,
    operations,
    control,
    issued,
    history,
    alerting,
    admin,
    takeOver: async () => {
      if (predecessor !== undefined) await takeOver(predecessor, { traffic, admin, groups, begin });
    },
    clock,
  });
  const denials = new Denials({ given: settings.front.denyList, traffic, clock });
  const log = openLog(settings.log, events, { status: () => state.status(), clock });
  const applier = new OptionApplier({
    reading,
    inForce,
    traffic,
    backends,
    denials,
    environment,
    operations,
    log,
    events,
  });
  const configuration = new Configuration(applier, inForce);
  const inForceNow = () => inForce.settings;
  primary = new Primary({
    settings: inForceNow,
    configuration,
    state,
    operations,
    denials,
    alerting,
    lifetime,
    admin,
    output,
    events,
  });
  for (const { range, leftMs } of before?.denied ?? []) primary.deny(range, leftMs === null ? {} : { forMs: leftMs });
  const parts = {
    settings,
    secret,
    traffic,
    listeners,
    groups,
    admin,
    control,
    denials,
    inForce,
    inherited,
    service,
    replaceable,
  };
  let notices: ServiceNotices | undefined;
  const upgrade = new ClusterUpgrade({
    settings,
    replaceable,
    estate: () => collectEstate(parts),
    isReloading: () => state.isReloading,
    lifetime,
    control,
    service: () => notices,
    events,
    clock,
  });
  const controlledCluster: ControlledCluster = {
    primary,
    profiles,
    configuration,
    upgrade: (argument, ties) => upgrade.run(argument, ties),
    sight: state,
    memory,
    clock,
  };
  let controlled: Promise<Error | undefined> | undefined;
  // What there is to be once in a cluster: where another primary has it as yet, when that leaves it.
  const begin = async (): Promise<void> => {
    notices = notifySystemd(service, { events, status: () => state.status(), clock });
    issued?.begin();
    if (settings.control) controlled = control.open(before?.name ?? settings.name, controlledCluster, events);
    if (before !== undefined) await controlled;
  };
  if (before === undefined) await begin();
  await lifetime.start();
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

/** The app's, and that of each other app of Node.js; of all or none. */
async function openAllSockets(
  plans: readonly Pick<GroupPlan, "backend" | "run">[],
  parts: Pick<GroupSurroundings, "clock" | "events">,
): Promise<readonly (PrivateSockets | undefined)[]> {
  const opened: (PrivateSockets | undefined)[] = [];
  try {
    for (const { backend, run } of plans) {
      const has = backend === undefined || isAgents(run);
      opened.push(has ? await openPrivateSockets(backend, parts) : undefined);
    }
    return opened;
  } catch (error) {
    for (const one of opened) one?.remove();
    throw error;
  }
}
