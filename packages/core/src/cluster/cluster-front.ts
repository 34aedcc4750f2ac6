import type { Balancer } from "../balancer/balancer.ts";
import type { Routing } from "../balancer/routing.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import { HandoffFront } from "../front/handoff/handoff-front.ts";
import { type HealthAnswers, HealthResponder } from "../front/health-responder.ts";
import { ProxyFront } from "../front/proxy/proxy-front.ts";
import type { PublicFront } from "../front/public-front.ts";
import type { TrafficObserver } from "../front/traffic-observer.ts";
import { Http1Transport } from "../front/transport/http1-transport.ts";
import { createLinkTransport } from "../front/transport/link-transport.ts";
import type { Transport } from "../front/transport/upstream.ts";
import type { LinkError } from "../link/errors.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { LbError } from "../model/errors.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import { reachedAt } from "../supervisor/ports.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";

export interface ClusterFrontOptions {
  readonly settings: ClusterSettings;
  readonly balancer: Balancer;
  readonly routing: Routing | undefined;
  readonly health: HealthAnswers | undefined;
  readonly supervisor: Supervisor;
  readonly observer: TrafficObserver;
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly clock: Clock;
}

/** The front of the cluster's mode, which does not listen yet. */
export function clusterFront(options: ClusterFrontOptions): PublicFront {
  const { settings, balancer, routing, health, supervisor, observer, clock } = options;
  const shared = {
    settings: { ...settings.front, host: settings.host, port: settings.port },
    balancer,
    routing,
    responders: health === undefined ? [] : [new HealthResponder(health)],
    clock,
    observer,
  };
  if (settings.mode === "handoff") {
    return new HandoffFront({
      ...shared,
      rebalancePerSecond: settings.rebalance === false ? 0 : settings.rebalance.perSecond,
      child: (endpoint) => supervisor.worker(endpoint)?.child,
      workerGone: (endpoint) => supervisor.worker(endpoint)?.lost(),
      health,
    });
  }
  const host = reachedAt(settings.workerHost);
  return new ProxyFront({
    ...shared,
    diedByItself: (endpoint) => supervisor.worker(endpoint)?.diedByItself ?? false,
    backend: (endpoint) => ({
      transport: transportTo(endpoint, host, options),
      responseLines: settings.front.backendHeader
        ? `X-Backend-Server: ${host}:${supervisor.ownPort(endpoint.slot)}\r\n`
        : "",
    }),
  });
}

/** Over the link, or to where the app listens in a process of its own. */
function transportTo(endpoint: Endpoint, host: string, { supervisor, events, clock }: ClusterFrontOptions): Transport {
  if (supervisor.worker(endpoint)?.reach === "own-port") {
    const address = { kind: "tcp", host, port: supervisor.directPort(endpoint) } as const;
    return new Http1Transport({ ...endpoint, address }, clock);
  }
  const onDown = (error: LinkError) => {
    // A link that was merely lost is the sign of a worker that died, which is told by its exit.
    if (error.code !== "LB_LINK_PROTOCOL" && error.code !== "LB_LINK_VERSION") return;
    events.emit("link-broken", { instance: endpoint.slot + 1, error });
    supervisor.worker(endpoint)?.discard();
  };
  return createLinkTransport({ endpoint, path: intakePath(endpoint), clock, onDown });
}

function intakePath({ id, address }: Endpoint): string {
  if (address.kind === "unix") return address.path;
  throw new LbError("LB_ENDPOINT", `The instance ${id} has no private socket.`);
}
