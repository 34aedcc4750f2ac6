import type { TLSSocket } from "node:tls";
import { isWithin } from "../../affinity/address-key.ts";
import type { Balancer } from "../../balancer/balancer.ts";
import type { Routing } from "../../balancer/routing.ts";
import { type ResponseRules, responseRules } from "../../http/response-rules.ts";
import type { AddressRange } from "../../model/address-range.ts";
import type { Clock } from "../../model/clock.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import type { ListenerAddress } from "../../model/listener-address.ts";
import type { HttpLimits } from "../../options/limit-options.ts";
import type { PublicConnection } from "../connection-table.ts";
import { DeadlineWheel } from "../deadline-wheel.ts";
import type { DenyList } from "../deny-list.ts";
import { frontResponders } from "../front-responders.ts";
import type { PublicFront } from "../public-front.ts";
import { PublicPort } from "../public-port.ts";
import type { RequestLimit } from "../request-limit.ts";
import type { Responder } from "../responder.ts";
import type { FrontSettings } from "../settings.ts";
import type { CertificateStore } from "../tls/certificate-store.ts";
import type { ChallengeBook } from "../tls/challenge-book.ts";
import type { TrafficObserver } from "../traffic-observer.ts";
import { ClientConnection } from "./client-connection.ts";
import type { FrontContext } from "./context.ts";
import { Http2Connection } from "./http2/http2-connection.ts";
import type { InFlightLimit } from "./in-flight-limit.ts";
import { type Backend, Pool } from "./pool.ts";
import type { Quarantine } from "./quarantine.ts";
import type { Router } from "./router.ts";
import { straightWay, type Way } from "./way.ts";

export interface ProxyFrontOptions {
  readonly settings: FrontSettings;
  readonly balancer: Balancer;
  readonly routing?: Routing | undefined;
  /** Those who may answer instead of the app, in the order in which they are asked. Default: nobody. */
  readonly responders?: readonly Responder[];
  readonly observer?: TrafficObserver;
  /** Who is not let in. Default: everybody is. */
  readonly denyList?: DenyList | undefined;
  readonly clock: Clock;
  /** For listeners with TLS, if the settings have any. */
  readonly certificates?: CertificateStore | undefined;
  /** What certificate authorities may be asking for there. */
  readonly challenges?: ChallengeBook | undefined;
  /** The way to an endpoint that joins; closed by the front when the endpoint leaves. */
  readonly backend: (endpoint: Endpoint) => Backend;
  /** Whether an endpoint that is gone died by itself. Default: it cannot be told, and it did not. */
  readonly diedByItself?: (endpoint: Endpoint) => boolean;
  /** Knows requests that end their instances. Default: nobody does. */
  readonly quarantine?: Quarantine | undefined;
  /** Cookies of ours that no endpoint is to see. Default: that of `routing`. */
  readonly stripCookie?: ((header: string) => string) | undefined;
  /** Knows who takes which route; `otherwise` is of those who take none. Default: all go to the endpoints of the roster. */
  readonly router?: ((otherwise: Way) => Router | undefined) | undefined;
  /** How many of those requests there may be at a time that take no route. Default: any number. */
  readonly inFlight?: InFlightLimit | undefined;
  /** How many requests may pass, where there is no router, which knows that itself. Default: all. */
  readonly limit?: RequestLimit | undefined;
}

/** What of it can be changed while it serves. */
export interface ProxyRules
  extends Pick<ProxyFrontOptions, "settings" | "stripCookie" | "router" | "inFlight" | "limit"> {}

/** The front of proxy mode: has each request answered by an endpoint of the roster, and relays it there. */
export class ProxyFront implements FrontContext, PublicFront {
  settings!: FrontSettings;
  headLimits!: HttpLimits;
  way!: Way;
  router: Router | undefined;
  limit: RequestLimit | undefined;
  responders!: readonly Responder[];
  responseRules: ResponseRules | undefined;
  readonly observer: TrafficObserver;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly #options: ProxyFrontOptions;
  readonly #pool: Pool;
  readonly #port: PublicPort<PublicConnection>;

  constructor(options: ProxyFrontOptions) {
    const {
      settings,
      balancer,
      routing,
      clock,
      backend,
      diedByItself,
      certificates,
      challenges,
      observer = {},
    } = options;
    this.#options = options;
    this.observer = observer;
    this.clock = clock;
    this.wheel = new DeadlineWheel(clock);
    this.#pool = new Pool({ balancer, clock, backend, diedByItself, quarantine: options.quarantine });
    this.#goBy(options);
    this.#port = new PublicPort({
      settings,
      denyList: options.denyList,
      clock,
      wheel: this.wheel,
      open: (socket, facts) => {
        const spoken = (socket as Partial<TLSSocket>).alpnProtocol;
        return spoken === "h2" ? new Http2Connection(socket, facts, this) : new ClientConnection(socket, facts, this);
      },
      stripCookie: options.stripCookie ?? routing?.affinity.stripCookie,
      certificates,
      challenges,
      observer,
    });
  }

  /** Requests that begin from now on go by these, on connections that are open, too. */
  use(rules: ProxyRules): void {
    this.#goBy(rules);
    this.#port.use(rules.settings, rules.stripCookie ?? this.#options.routing?.affinity.stripCookie);
  }

  #goBy({ settings, router, limit, inFlight }: ProxyRules): void {
    const { responders = [], certificates, routing } = this.#options;
    const httpsPort = () => this.#port.httpsPort;
    this.responders = frontResponders({ first: responders, settings, certificates, httpsPort });
    this.responseRules = responseRules({ rules: settings.headers.response, security: settings.securityHeaders });
    this.way = straightWay({ settings, pool: this.#pool, routing, responseRules: this.responseRules, inFlight });
    this.router = router?.(this.way);
    this.limit = limit;
    const { maxBodyBytes } = this.router ?? settings.limits;
    this.headLimits = { ...settings.limits, maxBodyBytes };
    this.settings = settings;
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

  accept(): Promise<void> {
    return this.#port.accept();
  }

  get descriptors(): readonly (number | undefined)[] {
    return this.#port.descriptors;
  }

  share(shared: boolean): void {
    this.#port.share(shared);
  }

  update(endpoints: readonly Endpoint[], lingering: readonly Endpoint[] = []): void {
    this.#pool.update(endpoints, lingering);
  }

  relieve(endpoint: Endpoint): void {
    this.#pool.reach(endpoint)?.transport.silent?.();
  }

  settled(endpoint: Endpoint): Promise<void> {
    return this.#pool.balancer.settled(endpoint);
  }

  cutOff(range: AddressRange): void {
    this.#port.cutOff((address) => isWithin(address, range));
  }

  quiesce(graceMs: number): Promise<void> {
    return this.#port.quiesce(graceMs);
  }

  async close(graceMs: number): Promise<void> {
    await this.#port.close(graceMs);
    this.wheel.stop();
    this.#pool.close();
  }

  tunnelOpened(): void {
    this.#port.tunnelOpened();
  }

  connectionClosed(connection: PublicConnection, wasTunnel: boolean): void {
    this.#port.connectionClosed(connection, wasTunnel);
  }
}
