import type { AccessLog } from "../access-log/access-log.ts";
import type { Balancer } from "../balancer/balancer.ts";
import type { Routing } from "../balancer/routing.ts";
import type { TrafficCounts, TrafficTotals } from "../facts/traffic-counts.ts";
import { DenyList } from "../front/deny-list.ts";
import type { HandoffFront } from "../front/handoff/handoff-front.ts";
import type { HealthAnswers } from "../front/health-responder.ts";
import { ProxyFront } from "../front/proxy/proxy-front.ts";
import { CertificateStore } from "../front/tls/certificate-store.ts";
import { certificateWatch } from "../front/tls/certificate-watch.ts";
import { ChallengeBook } from "../front/tls/challenge-book.ts";
import { observedByAll } from "../front/traffic-observer.ts";
import { type Clock, every, systemWallClock, type Timer } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { LbError } from "../model/errors.ts";
import type { ListenerAddress } from "../model/listener-address.ts";
import { Listeners } from "../model/listeners.ts";
import type { Random } from "../model/random.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { CertificateSettings } from "../options/https-options.ts";
import type { FileWatch } from "../tls/file-watch.ts";
import { accessObserver } from "./access-observer.ts";
import { planeAccessLog } from "./plane-access-log.ts";
import { ofReadyInstances, planeBalancer } from "./plane-balancer.ts";
import { PlaneEndpoints } from "./plane-endpoints.ts";
import { planeFront } from "./plane-front.ts";
import { PlaneInFlight, type PlaneLimitOptions, PlaneRates } from "./plane-limits.ts";
import type { PlaneFact, PlaneOrder, PlaneStatus } from "./plane-messages.ts";
import { strategiesTo } from "./plane-routes.ts";
import { planeRouting } from "./plane-routing.ts";
import { PlaneTracing } from "./plane-tracing.ts";
import { RequestCapture } from "./request-capture.ts";
import { RoutedPools } from "./routed-pools.ts";
import { sentError } from "./sent-error.ts";
import { TrafficBooks } from "./traffic-books.ts";
import { trafficNotices } from "./traffic-notices.ts";
import type { TrafficPlane, WorkerChannels } from "./traffic-plane.ts";

export interface LocalPlaneOptions {
  readonly settings: ClusterSettings;
  /** Signs what affinities give clients, where the settings name no secret. */
  readonly secret: string;
  /** What tickets of TLS sessions were sealed with before. Default: nothing was. */
  readonly ticketKeys?: readonly string[] | undefined;
  /** Knows how the cluster as a whole is. */
  readonly health: HealthAnswers | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

const noChannels: WorkerChannels = new Map();

/** The traffic plane in this process: puts front, balancer and affinity together, and has them do what is ordered. */
export class LocalPlane implements TrafficPlane {
  readonly #facts = new Listeners<PlaneFact>();
  readonly #endpoints = new PlaneEndpoints();
  readonly #books: TrafficBooks;
  readonly #balancer: Balancer;
  readonly #routes: RoutedPools;
  readonly #routing: Routing | undefined;
  readonly #front: ProxyFront | HandoffFront;
  readonly #certificates: CertificateStore | undefined;
  readonly #watch: FileWatch | undefined;
  readonly #challenges: ChallengeBook | undefined;
  readonly #accessLog: AccessLog | undefined;
  readonly #tracing: PlaneTracing;
  readonly #capture: RequestCapture;
  readonly #denyList: DenyList;
  readonly #notices: Pick<PlaneLimitOptions, "clock" | "tell">;
  #rates: PlaneRates;
  #limits: PlaneInFlight;
  readonly #keepTicketKeysNew: () => void;
  /** Until the next. */
  #ticketKeys: Timer | undefined;
  /** Of the order that is being followed. */
  #channels = noChannels;

  constructor({ settings, secret, ticketKeys, health, clock, random }: LocalPlaneOptions) {
    this.#books = new TrafficBooks(settings.front.listeners.length);
    const tell = (fact: PlaneFact) => this.#facts.emit([fact]);
    const balancer = planeBalancer(settings, clock, tell);
    const keyFailed = (error: LbError) => tell({ kind: "affinity-key-failed", error: sentError(error) });
    const places = { secret, balancer, random, keyFailed };
    const routing = planeRouting({ settings, ...places });
    this.#notices = { clock, tell };
    const rates = new PlaneRates(this.#notices);
    const limits = new PlaneInFlight(this.#notices);
    const limit = rates.limit(settings.front.rateLimit);
    const inFlight = limits.limit(inFlightOfAll(settings));
    const routes = new RoutedPools({ settings, routing, limit, rates, limits, ...places, clock, tell });
    this.#rates = rates;
    this.#limits = limits;
    this.#balancer = balancer;
    this.#routes = routes;
    this.#routing = routing;
    const { https } = settings.front;
    const store = https === false ? undefined : new CertificateStore(https, systemWallClock, ticketKeys);
    this.#certificates = store;
    this.#watch =
      store &&
      certificateWatch({
        store,
        clock,
        renewed: (certificates) => tell({ kind: "certificates-renewed", certificates }),
        failed: (error) => tell({ kind: "certificates-failed", error: sentError(error) }),
      });
    this.#keepTicketKeysNew = () => {
      if (store === undefined || https === false) return;
      this.#ticketKeys = every(clock, https.sessionMs, () => store.renewTicketKey());
    };
    this.#challenges = https === false || https.acme === undefined ? undefined : new ChallengeBook();
    this.#denyList = new DenyList(clock);
    for (const range of settings.front.denyList) this.#denyList.set(range, Number.POSITIVE_INFINITY);
    const { accessLog } = settings;
    this.#accessLog = planeAccessLog(accessLog, { clock, tell });
    const logged =
      this.#accessLog === undefined || accessLog === false
        ? []
        : [accessObserver({ log: this.#accessLog, settings: accessLog, wallClock: systemWallClock, random })];
    this.#tracing = new PlaneTracing(settings, { clock, random, tell });
    this.#capture = new RequestCapture(clock, systemWallClock);
    this.#front = planeFront({
      settings,
      balancer,
      routing,
      health,
      observer: observedByAll([
        trafficNotices(clock, tell),
        this.#books,
        this.#capture,
        ...logged,
        ...this.#tracing.observers,
      ]),
      clock,
      certificates: store,
      challenges: this.#challenges,
      tell,
      router: routes.router,
      denyList: this.#denyList,
      limit,
      inFlight,
      stripCookie: routes.stripCookie,
      reached: (endpoint) => this.#endpoints.reached(endpoint),
      channel: ({ id }) => this.#channels.get(id),
      diedByItself: ({ id }) => !this.#endpoints.isDoomed(id),
    });
  }

  use(settings: ClusterSettings): void {
    const { front, strategy, queue, retryBudget, health, routes } = settings;
    this.#balancer.use({
      strategy,
      others: strategiesTo("app", routes),
      health: ofReadyInstances(health),
      queue,
      retryBudget,
    });
    this.#rates = new PlaneRates(this.#notices, this.#rates);
    this.#limits = new PlaneInFlight(this.#notices, this.#limits);
    const limit = this.#rates.limit(front.rateLimit);
    const inFlight = this.#limits.limit(inFlightOfAll(settings));
    this.#routes.use(settings, { limit, rates: this.#rates, limits: this.#limits });
    const { router, stripCookie } = this.#routes;
    // In hand-off mode the instances see to all that is left.
    if (this.#front instanceof ProxyFront) this.#front.use({ settings: front, router, stripCookie, limit, inFlight });
  }

  subscribe(listener: (fact: PlaneFact) => void): () => void {
    return this.#facts.add(listener);
  }

  status(): PlaneStatus {
    const certificates = this.#certificates?.facts ?? [];
    const backends = Object.fromEntries(
      [...this.#routes.backends].map(([name, { balancer }]) => [name, balancer.status()]),
    );
    return {
      balancer: this.#balancer.status(),
      backends,
      certificates,
      limits: this.#limits.all,
      accessLog: this.#accessLog?.status ?? null,
      tracing: this.#tracing.status,
      ...this.#books.all,
    };
  }

  counts(): TrafficCounts {
    const { counts } = this.#books;
    return this.#tracing.status === null ? counts : { ...counts, exemplars: this.#tracing.exemplars };
  }

  totals(): TrafficTotals {
    return this.#books.totals;
  }

  send(order: PlaneOrder, channels: WorkerChannels = noChannels): void {
    const [endpoints, balancer, front] = [this.#endpoints, this.#balancer, this.#front];
    const { backends } = this.#routes;
    switch (order.kind) {
      case "listen":
        this.#answer(order.id, this.#listen());
        return;
      case "accept":
        this.#answer(order.id, front.accept().then(nothing));
        return;
      case "share":
        front.share(order.shared);
        return;
      case "tell-estate": {
        const descriptors = front.descriptors.map((one) => one ?? null);
        const ticketKeys = this.#certificates?.material.ticketKeys ?? [];
        this.#facts.emit([{ kind: "estate", id: order.id, descriptors, ticketKeys }]);
        return;
      }
      case "roster":
        this.#channels = channels;
        this.#follow(order);
        return;
      case "backend":
        backends.get(order.backend)?.update(order);
        return;
      case "doomed":
        endpoints.doom(order.endpoint);
        for (const backend of backends.values()) backend.doom(order.endpoint);
        return;
      case "ended":
        this.#forget(order.endpoint);
        for (const backend of backends.values()) backend.ended(order.endpoint);
        return;
      case "probed": {
        const endpoint = endpoints.get(order.endpoint);
        if (endpoint !== undefined) balancer.health.observeProbe(endpoint, order.up);
        for (const backend of backends.values()) backend.probed(order.endpoint, order.up);
        return;
      }
      case "canary":
        if (order.backend !== undefined) backends.get(order.backend)?.setCanary(order.endpoints, order.share);
        else balancer.setCanary(endpoints.of(order.endpoints), order.share);
        return;
      case "deny":
        this.#denyList.set(order.range, order.forMs ?? Number.POSITIVE_INFINITY);
        front.cutOff(order.range);
        return;
      case "allow":
        this.#denyList.delete(order.range);
        return;
      case "sessions":
        (order.backend === undefined ? this.#routing : backends.get(order.backend)?.routing)?.begin();
        return;
      case "reread-certificates":
        this.#answer(
          order.id,
          this.#done(() => this.#certificates?.reread()),
        );
        return;
      case "set-certificates":
        this.#answer(
          order.id,
          this.#done(() => this.#setCertificates(order.certificates)),
        );
        return;
      case "use-certificate":
        this.#answer(
          order.id,
          this.#done(() => this.#certificates?.use(order.certificate)),
        );
        return;
      case "challenges":
        this.#answer(
          order.id,
          this.#done(() => this.#challenges?.set(order.challenges)),
        );
        return;
      case "open-access-log":
        this.#answer(order.id, Promise.resolve(this.#accessLog?.open()).then(nothing));
        return;
      case "reopen-access-log":
        this.#accessLog?.reopen();
        return;
      case "spans":
        this.#tracing.addTold(order.spans, order.dropped);
        return;
      case "capture":
        void this.#capture
          .slowest(order.ms, order)
          .then((captured) => this.#facts.emit([{ kind: "captured", id: order.id, captured }]));
        return;
      case "settle":
        this.#answer(order.id, this.#settled(order.endpoint));
        return;
      case "drain":
        this.#answer(order.id, this.#drained(order.endpoint));
        return;
      case "quiesce":
        this.#answer(order.id, front.quiesce(order.graceMs).then(nothing));
        return;
      case "close":
        this.#answer(
          order.id,
          front.close(0).then(() => {
            balancer.close();
            this.#routes.close();
            this.#watch?.stop();
            this.#ticketKeys?.cancel();
            return Promise.all([this.#accessLog?.close(), this.#tracing.close()]).then(nothing);
          }),
        );
        return;
      default:
        order satisfies never;
    }
  }

  /** Who joins is reachable before it is chosen; who leaves is not chosen any more before it becomes unreachable. */
  #follow({ taking, lingering, silent }: Extract<PlaneOrder, { kind: "roster" }>): void {
    const [balancer, front] = [this.#balancer, this.#front];
    const before = balancer.roster;
    const [now, lingers] = [this.#endpoints.of(taking), this.#endpoints.of(lingering)];
    front.update([...new Set([...before.endpoints, ...now])], before.lingering);
    balancer.update(now, lingers);
    for (const endpoint of before.endpoints) {
      if (silent.includes(endpoint.id)) front.relieve(endpoint);
    }
    front.update(now, lingers);
  }

  async #listen(): Promise<readonly ListenerAddress[]> {
    await this.#watch?.begin();
    this.#keepTicketKeysNew();
    return this.#front.listen();
  }

  #setCertificates(certificates: readonly CertificateSettings[]): void {
    const store = this.#certificates;
    if (store === undefined) return;
    store.set(certificates);
    this.#watch?.forget();
    this.#facts.emit([{ kind: "certificates-renewed", certificates: store.facts }]);
  }

  /** What it throws is the answer. */
  async #done(act: () => void): Promise<undefined> {
    act();
  }

  async #settled(id: string): Promise<undefined> {
    await this.#whenKnown(id, (endpoint) => this.#front.settled(endpoint));
    await Promise.all([...this.#routes.backends.values()].map((backend) => backend.settled(id)));
  }

  async #drained(id: string): Promise<undefined> {
    await this.#whenKnown(id, (endpoint) => this.#balancer.drained(endpoint));
    await Promise.all([...this.#routes.backends.values()].map((backend) => backend.drained(id)));
  }

  /** Once nothing is in flight on it: until then it is asked how it ended. */
  #forget(id: string): void {
    const endpoint = this.#endpoints.get(id);
    if (endpoint !== undefined) void this.#balancer.drained(endpoint).then(() => this.#endpoints.forget(id));
  }

  async #whenKnown(id: string, over: (endpoint: Endpoint) => Promise<void>): Promise<undefined> {
    const endpoint = this.#endpoints.get(id);
    if (endpoint !== undefined) await over(endpoint);
  }

  #answer(id: number, done: Promise<readonly ListenerAddress[] | undefined>): void {
    done.then(
      (listeners) => this.#facts.emit([{ kind: "answer", id, ...(listeners !== undefined && { listeners }) }]),
      (error) => this.#facts.emit([{ kind: "failed", id, error: sentError(error) }]),
    );
  }
}

function inFlightOfAll({ front, queue }: ClusterSettings) {
  return { maxRequestsInFlight: front.limits.maxRequestsInFlight, queue };
}

/** What is done has no more to say. */
const nothing = (): undefined => {};
