import type { ChildProcess } from "node:child_process";
import type { Balancer } from "../balancer/balancer.ts";
import type { Routing } from "../balancer/routing.ts";
import { AccessGuard } from "../front/access-guard.ts";
import type { DenyList } from "../front/deny-list.ts";
import { HandoffFront } from "../front/handoff/handoff-front.ts";
import { type HealthAnswers, HealthResponder } from "../front/health-responder.ts";
import type { InFlightLimit } from "../front/proxy/in-flight-limit.ts";
import { ProxyFront } from "../front/proxy/proxy-front.ts";
import { Quarantine } from "../front/proxy/quarantine.ts";
import type { Router } from "../front/proxy/router.ts";
import type { Way } from "../front/proxy/way.ts";
import type { RequestLimit } from "../front/request-limit.ts";
import type { CertificateStore } from "../front/tls/certificate-store.ts";
import type { ChallengeBook } from "../front/tls/challenge-book.ts";
import { ChallengeResponder } from "../front/tls/challenge-responder.ts";
import type { TrafficObserver } from "../front/traffic-observer.ts";
import { Http1Transport } from "../front/transport/http1-transport.ts";
import { createLinkTransport } from "../front/transport/link-transport.ts";
import type { Transport } from "../front/transport/upstream.ts";
import type { LinkError } from "../link/errors.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { LbError } from "../model/errors.ts";
import type { QuarantinedRequest } from "../model/quarantined-request.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { UntrustedError } from "../tls/untrusted.ts";
import type { PlaneFact, ReachedEndpoint } from "./plane-messages.ts";
import { sentError } from "./sent-error.ts";

export interface PlaneFrontOptions {
  readonly settings: ClusterSettings;
  readonly balancer: Balancer;
  readonly routing: Routing | undefined;
  readonly health: HealthAnswers | undefined;
  readonly observer: TrafficObserver;
  readonly clock: Clock;
  readonly certificates: CertificateStore | undefined;
  readonly challenges: ChallengeBook | undefined;
  readonly tell: (fact: PlaneFact) => void;
  /** Cookies of ours that no endpoint is to see. */
  readonly stripCookie: ((header: string) => string) | undefined;
  /** Knows who takes which route. Undefined: there are none. */
  readonly router: ((otherwise: Way) => Router) | undefined;
  /** Who is kept out. */
  readonly denyList: DenyList;
  /** How many requests may pass. */
  readonly limit: RequestLimit | undefined;
  /** How many there may be at a time. */
  readonly inFlight: InFlightLimit | undefined;
  /** Of an endpoint that joins. */
  readonly reached: (endpoint: Endpoint) => ReachedEndpoint;
  readonly channel: (endpoint: Endpoint) => ChildProcess | undefined;
  /** Its end was nobody's order. */
  readonly diedByItself: (endpoint: Endpoint) => boolean;
}

/** The front of the cluster's mode, which does not listen yet. */
export function planeFront(options: PlaneFrontOptions): ProxyFront | HandoffFront {
  const {
    settings,
    balancer,
    routing,
    health,
    observer,
    clock,
    certificates,
    challenges,
    reached,
    channel,
    diedByItself,
    router,
    limit,
    inFlight,
    denyList,
    stripCookie,
  } = options;
  const shared = {
    settings: settings.front,
    balancer,
    routing,
    denyList,
    responders: [
      ...(challenges === undefined ? [] : [new ChallengeResponder(challenges)]),
      new AccessGuard({ allow: undefined, deny: (address) => denyList.find(address) !== undefined }),
      ...(health === undefined ? [] : [new HealthResponder(health)]),
    ],
    clock,
    observer,
  };
  if (settings.mode === "handoff") {
    return new HandoffFront({
      ...shared,
      rebalancePerSecond: settings.rebalance === false ? 0 : settings.rebalance.perSecond,
      certificates,
      challenges,
      child: channel,
      workerGone: ({ id, slot }) => options.tell({ kind: "lost", endpoint: id, slot }),
      health,
    });
  }
  return new ProxyFront({
    ...shared,
    certificates,
    challenges,
    diedByItself,
    quarantine: quarantine(options),
    router,
    limit,
    inFlight,
    stripCookie,
    backend: (endpoint) => ({
      transport: transportTo(reached(endpoint), options),
      responseLines: settings.front.backendHeader ? `X-Backend-Server: ${reached(endpoint).shownAs}\r\n` : "",
    }),
  });
}

function quarantine({ settings, clock, tell }: PlaneFrontOptions): Quarantine | undefined {
  const { quarantine: own } = settings.front;
  if (!own) return undefined;
  const told = (quarantined: QuarantinedRequest) => tell({ kind: "request-quarantined", ...quarantined });
  return new Quarantine({ settings: own, clock, told });
}

/** The way to an endpoint, as it is reached. */
export function transportTo(
  { endpoint, reach }: ReachedEndpoint,
  { clock, observer, tell }: Pick<PlaneFrontOptions, "clock" | "observer" | "tell">,
): Transport {
  if (reach.kind === "http1") {
    const untrusted = (error: UntrustedError) => observer.endpointUntrusted?.(endpoint, error);
    return new Http1Transport({ endpoint, reach, clock, untrusted });
  }
  const onDown = (error: LinkError) => {
    // A link that was merely lost is the sign of a worker that died, which is told by its exit.
    if (error.code !== "LB_LINK_PROTOCOL" && error.code !== "LB_LINK_VERSION") return;
    tell({ kind: "link-broken", endpoint: endpoint.id, slot: endpoint.slot, error: sentError(error) });
  };
  return createLinkTransport({ endpoint, path: intakePath(endpoint), clock, onDown });
}

function intakePath({ id, address }: Endpoint): string {
  if (address.kind === "unix") return address.path;
  throw new LbError("LB_ENDPOINT", `The instance ${id} has no private socket.`);
}
