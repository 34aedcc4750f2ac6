import { randomSecret } from "../affinity/slot-tokens.ts";
import { Balancer } from "../balancer/balancer.ts";
import type { ClusterEventMap, RequestsRefusedEvent } from "../events/cluster-event-map.ts";
import { ClusterEvents } from "../events/cluster-events.ts";
import type { PublicFront } from "../front/public-front.ts";
import { RefusalNotices } from "../front/refusal-notice.ts";
import type { HealthSettings } from "../health/settings.ts";
import { HealthTracker } from "../health/tracker.ts";
import { type Clock, systemWallClock } from "../model/clock.ts";
import { ListenError } from "../model/listen-error.ts";
import type { ClusterSettings } from "../options/cluster-options.ts";
import type { IntakeDirectory } from "../supervisor/intake-directory.ts";
import { planWorkerPorts } from "../supervisor/ports.ts";
import { removeAbandoned } from "./abandoned-directories.ts";
import { clusterFront } from "./cluster-front.ts";
import { clusterRouting } from "./cluster-routing.ts";
import { HealthEndpoints } from "./health-endpoints.ts";
import { openLog } from "./open-log.ts";
import { Primary, type PrimaryOptions } from "./primary.ts";
import type { PrimaryCluster } from "./primary-cluster.ts";
import { openPrivateSockets } from "./private-sockets.ts";
import { trafficEvents } from "./traffic-events.ts";

/**
 * Opens the public port, starts the workers, and resolves when all of them are ready. Requests that come before the
 * first of them is wait in the balancer's queue. On failure nothing is left.
 */
export async function startPrimary({ settings, entry, clock, random }: PrimaryOptions): Promise<PrimaryCluster> {
  const { strategy, health } = settings;
  const events = new ClusterEvents<ClusterEventMap>();
  const unserved = unservedRequests(clock, (notice) => events.emit("requests-refused", notice));
  const tracker = new HealthTracker({ settings: ofReadyInstances(health), clock });
  const balancer = new Balancer({ strategy, health: tracker, clock, refused: unserved });
  let primary: Primary | undefined;
  const secret = randomSecret();
  const routing = clusterRouting({
    settings: settings.affinity,
    bySessions: settings.socketIo !== false,
    secret,
    balancer,
    random,
    keyFailed: (error) => events.emit("affinity-key-failed", error),
  });
  const { healthEndpoints } = settings;
  const { front, relayed } = clusterFront({
    settings,
    balancer,
    routing,
    health:
      healthEndpoints === false
        ? undefined
        : new HealthEndpoints({
            settings: healthEndpoints,
            status: () => primary?.status(),
            draining: () => primary?.draining ?? false,
          }),
    clock,
    workers: {
      portOf: (endpoint) => primary!.portOf(endpoint),
      reachOf: (endpoint) => primary!.reachOf(endpoint),
      childOf: (endpoint) => primary?.childOf(endpoint),
      gone: (endpoint) => primary?.workerGone(endpoint),
      diedByItself: (endpoint) => primary?.diedByItself(endpoint) ?? false,
      linkDown: (endpoint, error) => primary?.linkDown(endpoint, error),
    },
    observer: trafficEvents(events, clock),
  });
  let intakes: IntakeDirectory | undefined;
  let port: number;
  let ports: readonly number[];
  try {
    port = await listen(front, settings);
    intakes = await openPrivateSockets(clock, events);
    void removeAbandoned(intakes.parent, systemWallClock());
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
  openLog(settings.log, events, { status: () => primary!.status(), clock });
  await primary.start();
  return primary;
}

/** Tells of requests that nobody could take, for each reason by itself. */
function unservedRequests(clock: Clock, told: (event: RequestsRefusedEvent) => void) {
  const noticesOf = (reason: RequestsRefusedEvent["reason"]) =>
    new RefusalNotices(clock, (refused) => told({ reason, refused }));
  const notices = { "queue-full": noticesOf("queue-full"), "wait-timeout": noticesOf("wait-timeout") };
  return (reason: RequestsRefusedEvent["reason"]) => notices[reason].note();
}

async function listen(front: PublicFront, { host, port }: ClusterSettings): Promise<number> {
  try {
    return await front.listen();
  } catch (cause) {
    throw new ListenError({ host, port, remedy: 'the option "port" (or the environment variable PORT)' }, cause);
  }
}

/** Those that are routed to have answered a probe already, where that is asked for. */
function ofReadyInstances(health: HealthSettings): HealthSettings {
  const { active } = health;
  return active === false ? health : { ...health, active: { ...active, requireFirstProbe: false } };
}
