import type { ChildProcess } from "node:child_process";
import type { Balancer } from "../balancer/balancer.ts";
import type { Routing } from "../balancer/routing.ts";
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
import type { ClusterSettings } from "../options/cluster-options.ts";
import { reachedAt } from "../supervisor/ports.ts";

/** How the app of a worker is reached: over the link, or where it listens in a process of its own. */
export type AppReach =
  | { readonly kind: "link" }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** What a front has to know of the workers, which are there later than it. */
export interface FrontWorkers {
  /** The instance's own port. */
  portOf(endpoint: Endpoint): number;
  /** Asked once, when the endpoint joins. */
  reachOf(endpoint: Endpoint): AppReach;
  childOf(endpoint: Endpoint): ChildProcess | undefined;
  /** The process or its channel is gone: it leaves the roster at once. */
  gone(endpoint: Endpoint): void;
  /** Its end, if it has come, is not our doing. */
  diedByItself(endpoint: Endpoint): boolean;
  /** The link to this worker broke, or it violated the protocol. */
  linkDown(endpoint: Endpoint, error: LinkError): void;
}

export interface ClusterFrontOptions {
  readonly settings: ClusterSettings;
  readonly balancer: Balancer;
  readonly routing: Routing | undefined;
  readonly health: HealthAnswers | undefined;
  readonly clock: Clock;
  readonly workers: FrontWorkers;
  readonly observer: TrafficObserver;
}

/** The front of the cluster's mode, and what it tells the status. */
export interface ClusterFront {
  readonly front: PublicFront;
  /** Requests that were relayed from one worker to another on behalf of the first. */
  readonly relayed: (slot: number) => number;
}

export function clusterFront(options: ClusterFrontOptions): ClusterFront {
  const { settings, balancer, routing, health, clock, workers, observer } = options;
  const shared = {
    settings: { ...settings.front, host: settings.host, port: settings.port },
    balancer,
    routing,
    responders: health === undefined ? [] : [new HealthResponder(health)],
    clock,
    observer,
  };
  if (settings.mode === "handoff") {
    const front = new HandoffFront({
      ...shared,
      rebalancePerSecond: settings.rebalance === false ? 0 : settings.rebalance.perSecond,
      child: (endpoint) => workers.childOf(endpoint),
      workerGone: (endpoint) => workers.gone(endpoint),
      health,
    });
    return { front, relayed: (slot) => front.relayed(slot) };
  }
  const transportTo = (endpoint: Endpoint): Transport => {
    const reach = workers.reachOf(endpoint);
    if (reach.kind === "tcp") return new Http1Transport({ ...endpoint, address: reach }, clock);
    const onDown = (error: LinkError) => workers.linkDown(endpoint, error);
    return createLinkTransport({ endpoint, path: intakePath(endpoint), clock, onDown });
  };
  const front = new ProxyFront({
    ...shared,
    diedByItself: (endpoint) => workers.diedByItself(endpoint),
    backend: (endpoint) => ({
      transport: transportTo(endpoint),
      responseLines: settings.front.backendHeader
        ? `X-Backend-Server: ${reachedAt(settings.workerHost)}:${workers.portOf(endpoint)}\r\n`
        : "",
    }),
  });
  return { front, relayed: () => 0 };
}

function intakePath({ id, address }: Endpoint): string {
  if (address.kind === "unix") return address.path;
  throw new LbError("LB_ENDPOINT", `The instance ${id} has no private socket.`);
}
