import type { TLSSocket } from "node:tls";
import type { Balancer } from "../../balancer/balancer.ts";
import type { Routing } from "../../balancer/routing.ts";
import { type ResponseRules, responseRules } from "../../http/response-rules.ts";
import type { Clock } from "../../model/clock.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import type { ListenerAddress } from "../../model/listener-address.ts";
import type { PublicConnection } from "../connection-table.ts";
import { DeadlineWheel } from "../deadline-wheel.ts";
import { frontResponders } from "../front-responders.ts";
import type { PublicFront } from "../public-front.ts";
import { PublicPort } from "../public-port.ts";
import type { Responder } from "../responder.ts";
import type { FrontSettings } from "../settings.ts";
import type { CertificateStore } from "../tls/certificate-store.ts";
import type { ChallengeBook } from "../tls/challenge-book.ts";
import type { TrafficObserver } from "../traffic-observer.ts";
import { ClientConnection } from "./client-connection.ts";
import type { Backend, FrontContext } from "./context.ts";
import { Http2Connection } from "./http2/http2-connection.ts";
import { Suspects } from "./suspects.ts";

export interface ProxyFrontOptions {
  readonly settings: FrontSettings;
  readonly balancer: Balancer;
  readonly routing?: Routing | undefined;
  /** Those who may answer instead of the app, in the order in which they are asked. Default: nobody. */
  readonly responders?: readonly Responder[];
  readonly observer?: TrafficObserver;
  readonly clock: Clock;
  /** For listeners with TLS, if the settings have any. */
  readonly certificates?: CertificateStore | undefined;
  /** What certificate authorities may be asking for there. */
  readonly challenges?: ChallengeBook | undefined;
  /** The way to an endpoint that joins; closed by the front when the endpoint leaves. */
  readonly backend: (endpoint: Endpoint) => Backend;
  /** Whether an endpoint that is gone died by itself. Default: it cannot be told, and it did not. */
  readonly diedByItself?: (endpoint: Endpoint) => boolean;
}

/** The front of proxy mode: has each request answered by an endpoint of the roster, and relays it there. */
export class ProxyFront implements FrontContext, PublicFront {
  readonly settings: FrontSettings;
  readonly balancer: Balancer;
  readonly routing: Routing | undefined;
  readonly responders: readonly Responder[];
  readonly responseRules: ResponseRules | undefined;
  readonly observer: TrafficObserver;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly suspects: Suspects;
  readonly backends: Map<Endpoint, Backend> = new Map();
  readonly diedByItself: (endpoint: Endpoint) => boolean;
  readonly #backend: (endpoint: Endpoint) => Backend;
  readonly #port: PublicPort<PublicConnection>;

  constructor(options: ProxyFrontOptions) {
    const {
      settings,
      balancer,
      routing,
      clock,
      backend,
      certificates,
      challenges,
      responders = [],
      observer = {},
    } = options;
    this.settings = settings;
    this.balancer = balancer;
    this.routing = routing;
    const httpsPort = () => this.#port.httpsPort;
    this.responders = frontResponders({ first: responders, settings, certificates, httpsPort });
    this.responseRules = responseRules({ rules: settings.headers.response, security: settings.securityHeaders });
    this.observer = observer;
    this.clock = clock;
    this.wheel = new DeadlineWheel(clock);
    this.suspects = new Suspects({ balancer, clock });
    this.diedByItself = options.diedByItself ?? (() => false);
    this.#backend = backend;
    this.#port = new PublicPort({
      settings,
      clock,
      wheel: this.wheel,
      open: (socket, facts) => {
        const spoken = (socket as Partial<TLSSocket>).alpnProtocol;
        return spoken === "h2" ? new Http2Connection(socket, facts, this) : new ClientConnection(socket, facts, this);
      },
      stripCookie: routing?.affinity.stripCookie,
      certificates,
      challenges,
      observer,
    });
  }

  get draining(): boolean {
    return this.#port.draining;
  }

  /** Open client connections. */
  get connections(): number {
    return this.#port.connections;
  }

  listen(): Promise<readonly ListenerAddress[]> {
    return this.#port.listen();
  }

  update(endpoints: readonly Endpoint[], lingering: readonly Endpoint[] = []): void {
    for (const endpoint of endpoints) {
      if (!this.backends.has(endpoint)) this.backends.set(endpoint, this.#backend(endpoint));
    }
    const current = new Set([...endpoints, ...lingering]);
    for (const [endpoint, { transport }] of this.backends) {
      if (current.has(endpoint)) continue;
      this.backends.delete(endpoint);
      transport.close();
    }
  }

  relieve(endpoint: Endpoint): void {
    this.backends.get(endpoint)?.transport.silent?.();
  }

  settled(endpoint: Endpoint): Promise<void> {
    return this.balancer.settled(endpoint);
  }

  quiesce(graceMs: number): Promise<void> {
    return this.#port.quiesce(graceMs);
  }

  async close(graceMs: number): Promise<void> {
    await this.#port.close(graceMs);
    this.wheel.stop();
    for (const { transport } of this.backends.values()) transport.close();
    this.backends.clear();
  }

  tunnelOpened(): void {
    this.#port.tunnelOpened();
  }

  connectionClosed(connection: PublicConnection, wasTunnel: boolean): void {
    this.#port.connectionClosed(connection, wasTunnel);
  }
}
