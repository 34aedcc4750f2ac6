import { Affinity } from "../affinity/affinity.ts";
import { randomSecret } from "../affinity/slot-tokens.ts";
import { Balancer, type Lease } from "../balancer/balancer.ts";
import { Routing } from "../balancer/routing.ts";
import type { BalancerEvent, EndpointStatus, Unavailable } from "../balancer/status.ts";
import { UnavailableError } from "../balancer/unavailable-error.ts";
import type { HealthState } from "../health/state.ts";
import { HealthTracker } from "../health/tracker.ts";
import { systemWallClock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { LbError } from "../model/errors.ts";
import { Listeners } from "../model/listeners.ts";
import type { Random } from "../model/random.ts";
import type { RequestView } from "../model/request-view.ts";
import type { ProbedAt, ProbeResult } from "../probe/http-probe.ts";
import { Prober } from "../probe/prober.ts";
import { resolveStrategy, type StrategyName, strategies } from "../strategies/index.ts";
import type { Strategy } from "../strategies/strategy.ts";
import { type CreateBalancerOptions, parseBalancerOptions } from "./balancer-options.ts";
import { checkExclude, checkName, checkRequest } from "./misuse.ts";
import { type UrlEndpointInput, UrlEndpoints } from "./url-endpoints.ts";
import { UrlLease } from "./url-lease.ts";

export interface WaitOptions {
  /** Endpoints already tried for this request. */
  readonly exclude?: ReadonlySet<Endpoint>;
  /** Aborted, the request stops waiting, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export type UrlBalancerEvent =
  | BalancerEvent
  /** What one active probe found; `health` events tell when that changes anything. */
  | { readonly type: "probe"; readonly endpoint: Endpoint; readonly result: ProbeResult }
  /** A key function of the affinity threw or returned no text; the request went on without a key. */
  | { readonly type: "affinity-key-failed"; readonly error: LbError };

/** One endpoint in {@link UrlBalancerStatus}. */
export interface UrlEndpointStatus extends Omit<EndpointStatus, "endpoint" | "health"> {
  readonly url: string;
  readonly weight: number;
  readonly health: HealthState["kind"];
}

/** Plain JSON. */
export type UrlBalancerEventOf<Type extends UrlBalancerEvent["type"]> = Extract<
  UrlBalancerEvent,
  { readonly type: Type }
>;

export type UrlBalancerListener<Type extends UrlBalancerEvent["type"]> = (event: UrlBalancerEventOf<Type>) => void;

export interface UrlBalancerStatus {
  readonly strategy: string;
  /** Requests that wait for an endpoint. */
  readonly waiting: number;
  /** Retries that the budget allows now. */
  readonly retriesLeft: number;
  /** So few endpoints are healthy that health is ignored. */
  readonly panicking: boolean;
  /** Those listed, then those that were removed while leases are open on them. */
  readonly endpoints: readonly UrlEndpointStatus[];
}

/** A {@link Balancer} over URLs, with its own health checks. Made by {@link createBalancer}. */
export class UrlBalancer {
  readonly #balancer: Balancer;
  readonly #strategy: Strategy;
  readonly #endpoints = new UrlEndpoints();
  readonly #prober: Prober | undefined;
  readonly #affinity: Routing | undefined;
  readonly #events = new Listeners<UrlBalancerEvent>();
  readonly #subscriptions: { readonly type: string; readonly listener: unknown; readonly end: () => void }[] = [];

  /** @throws OptionError for the first option that cannot be used */
  constructor(input: CreateBalancerOptions) {
    const { endpoints, strategy, health, affinity, queue, retryBudget, clock, random } = parseBalancerOptions(input);
    this.#strategy = strategyOf(strategy, random);
    const tracker = new HealthTracker({ settings: health, clock });
    this.#balancer = new Balancer({ strategy: this.#strategy, health: tracker, clock, queue, retryBudget });
    this.#balancer.subscribe((event) => this.#events.emit([event]));
    if (affinity !== undefined) {
      this.#affinity = new Routing({
        affinity: new Affinity({
          settings: affinity,
          secret: randomSecret(),
          wallClock: systemWallClock,
          keyFailed: (error) => this.#events.emit([{ type: "affinity-key-failed", error }]),
        }),
        balancer: this.#balancer,
        random,
        nameOf: ({ id }) => id,
      });
    }
    if (health.active !== false) {
      this.#prober = new Prober({
        settings: health.active,
        clock,
        random,
        probedAt,
        report: (endpoint, result) => {
          tracker.observeProbe(endpoint, result.kind === "up");
          this.#events.emit([{ type: "probe", endpoint, result }]);
        },
      });
    }
    this.update(endpoints);
  }

  /**
   * A lease on an endpoint. `exclude`: the endpoints of leases that already failed this request.
   *
   * @throws UnavailableError (`LB_UNAVAILABLE`) when there is none, OptionError for what is no view of a request
   */
  acquire(request: RequestView = {}, exclude?: ReadonlySet<Endpoint>): UrlLease {
    const found = this.#find(request, exclude);
    if (found instanceof UrlLease) return found;
    throw new UnavailableError(found.reason);
  }

  /** As `acquire`, with undefined in place of the error. */
  tryAcquire(request: RequestView = {}, exclude?: ReadonlySet<Endpoint>): UrlLease | undefined {
    const found = this.#find(request, exclude);
    return found instanceof UrlLease ? found : undefined;
  }

  /**
   * As `acquire`, but where there is no endpoint the request waits for one, for `queue.maxWaitMs`.
   *
   * @throws UnavailableError when none came, or too many wait already
   */
  acquireOrWait(request: RequestView = {}, { exclude, signal }: WaitOptions = {}): Promise<UrlLease> {
    return new Promise((resolve, reject) => {
      checkRequest(request);
      checkExclude(exclude);
      signal?.throwIfAborted();
      const route = this.#affinity?.acquire(request, exclude);
      const leaseOf = (lease: Lease) => new UrlLease(lease, this.#affinity, route?.decision);
      if (route?.found.kind === "lease") {
        resolve(leaseOf(route.found));
        return;
      }
      const abort = () => {
        leave();
        reject(signal?.reason);
      };
      const ended = () => signal?.removeEventListener("abort", abort);
      signal?.addEventListener("abort", abort, { once: true });
      const leave = this.#balancer.acquireOrWait(request, {
        exclude,
        onLease: (lease) => {
          ended();
          resolve(leaseOf(lease));
        },
        onRefused: (reason) => {
          ended();
          reject(new UnavailableError(reason));
        },
      });
    });
  }

  /**
   * The value of a Cookie header without the affinity's own cookie, for what the endpoint gets to see; `""`: nothing
   * else was in it, leave the header out.
   */
  withoutCookie(header: string): string {
    return this.#affinity?.affinity.stripCookie?.(header) ?? header;
  }

  /**
   * Whether a failed request may be tried again, which takes one retry out of the budget. It keeps retries from
   * multiplying the load of endpoints that fail because of their load.
   */
  withdrawRetry(): boolean {
    return this.#balancer.withdrawRetry();
  }

  /**
   * Replaces the endpoints. Those that stay keep their health, counts and keys; one whose weight changed starts anew.
   * Leases on removed ones stay valid until they are released.
   *
   * @throws OptionError for an entry that is no endpoint, or is listed twice; nothing changes then
   */
  update(endpoints: readonly UrlEndpointInput[]): void {
    const list = this.#endpoints.replace(endpoints);
    this.#affinity?.update({ endpoints: list, lingering: [] });
    this.#balancer.update(list);
    this.#prober?.update(list);
  }

  /**
   * Gives an endpoint no more leases; resolves when its last one has ended. Remove it with `update` then; listed again
   * after that, it serves again. Resolves at once for a URL that is not listed.
   */
  async drain(url: string): Promise<void> {
    const endpoint = this.#endpoints.find(url);
    if (endpoint === undefined) return;
    this.#balancer.setDraining(endpoint);
    await this.#balancer.drained(endpoint);
  }

  status(): UrlBalancerStatus {
    const { waiting, retriesLeft, panicking, endpoints } = this.#balancer.status();
    return {
      strategy: this.#strategy.name,
      waiting,
      retriesLeft,
      panicking,
      endpoints: endpoints.map(({ endpoint, health, ...counts }) => ({
        url: endpoint.id,
        weight: endpoint.weight,
        health: health.kind,
        ...counts,
      })),
    };
  }

  /**
   * Calls `listener` for each event of the type, until {@link off}.
   *
   * @throws OptionError for a type that does not exist
   */
  on<Type extends UrlBalancerEvent["type"]>(type: Type, listener: UrlBalancerListener<Type>): this {
    checkName("event", type, eventTypes);
    const end = this.#events.add((event) => {
      if (event.type === type) listener(event as UrlBalancerEventOf<Type>);
    });
    this.#subscriptions.push({ type, listener, end });
    return this;
  }

  /** Ends what {@link on} began, the last time if there were several. */
  off<Type extends UrlBalancerEvent["type"]>(type: Type, listener: UrlBalancerListener<Type>): this {
    const at = this.#subscriptions.findLastIndex((one) => one.type === type && one.listener === listener);
    if (at !== -1) this.#subscriptions.splice(at, 1)[0]!.end();
    return this;
  }

  /** Refuses all that wait or come later, and ends the probes. Open leases stay valid. */
  async close(): Promise<void> {
    this.#balancer.close();
    await this.#prober?.close();
  }

  #find(request: RequestView, exclude: ReadonlySet<Endpoint> | undefined): UrlLease | Unavailable {
    checkRequest(request);
    checkExclude(exclude);
    if (this.#affinity === undefined) {
      const found = this.#balancer.acquire(request, exclude);
      return found.kind === "lease" ? new UrlLease(found) : found;
    }
    const { decision, found } = this.#affinity.acquire(request, exclude);
    return found.kind === "lease" ? new UrlLease(found, this.#affinity, decision) : found;
  }
}

const eventTypes = [
  "roster",
  "health",
  "draining",
  "drained",
  "probe",
  "affinity-key-failed",
] as const satisfies readonly UrlBalancerEvent["type"][];

/** Names get the defaults that suit URLs; a strategy object is taken as it is. */
function strategyOf(strategy: StrategyName | Strategy, random: Random): Strategy {
  if (typeof strategy !== "string" || !Object.hasOwn(strategies, strategy))
    return resolveStrategy(strategy, { random });
  const factory: (options: { random: Random; nameOf: (endpoint: Endpoint) => string }) => Strategy =
    strategies[strategy];
  return factory({ random, nameOf: ({ id }) => id });
}

/** By TLS where the URL says so, verified as by any client. */
function probedAt({ id, address }: Endpoint): ProbedAt {
  const secure = id.startsWith("https:") && address.kind === "tcp";
  return { address, ...(secure && { tls: { servername: address.host, verify: true } }) };
}
