import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { isWithin } from "../../affinity/address-key.ts";
import type { Balancer, Lease } from "../../balancer/balancer.ts";
import type { Routing } from "../../balancer/routing.ts";
import { RequestHeadParser } from "../../http/request-head.ts";
import { type ResponseRules, responseRules } from "../../http/response-rules.ts";
import type { ConnectionOrigin, LoadReport } from "../../ipc/handoff-messages.ts";
import { internalEvent } from "../../ipc/internal-message.ts";
import type { AddressRange } from "../../model/address-range.ts";
import type { Clock } from "../../model/clock.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import type { HandshakeFailure } from "../../model/handshake-failure.ts";
import type { ListenerAddress } from "../../model/listener-address.ts";
import { cancelled } from "../../model/outcome.ts";
import type { RequestView } from "../../model/request-view.ts";
import { handshakeSettings } from "../../tls/handshakes.ts";
import { DeadlineWheel } from "../deadline-wheel.ts";
import type { DenyList } from "../deny-list.ts";
import { frontResponders } from "../front-responders.ts";
import type { HealthAnswers } from "../health-responder.ts";
import { Placement } from "../placement.ts";
import type { PublicFront } from "../public-front.ts";
import { PublicPort } from "../public-port.ts";
import type { Responder } from "../responder.ts";
import type { FrontSettings } from "../settings.ts";
import type { CertificateStore } from "../tls/certificate-store.ts";
import type { ChallengeBook } from "../tls/challenge-book.ts";
import type { TrafficObserver } from "../traffic-observer.ts";
import { EndpointBooks } from "./endpoint-books.ts";
import { HandoffConnection } from "./handoff-connection.ts";
import type { HandoffContext, HandoffDecision, HandoffRefusal, HandoffTarget } from "./handoff-context.ts";
import { HandoffLane, handoffLaneDefaults } from "./handoff-lane.ts";
import { planReturns } from "./rebalancing.ts";
import { UnreadConnection } from "./unread-connection.ts";
import { waitForWorker } from "./waiting.ts";

export interface HandoffFrontOptions {
  readonly settings: FrontSettings;
  readonly balancer: Balancer;
  readonly routing?: Routing | undefined;
  /** Those who may answer instead of the app, in the order in which they are asked. Default: nobody. */
  readonly responders?: readonly Responder[];
  /** Asked by workers, which get the later requests of a connection. */
  readonly health?: HealthAnswers | undefined;
  readonly observer?: TrafficObserver;
  /** Who is not let in. Default: everybody is. */
  readonly denyList?: DenyList | undefined;
  readonly clock: Clock;
  /** For listeners with TLS, if the settings have any: workers make the handshakes with them. */
  readonly certificates?: CertificateStore | undefined;
  /** What certificate authorities may be asking for there: the front itself answers them. */
  readonly challenges?: ChallengeBook | undefined;
  /** Idle connections that may move from full workers to others in a second; 0: none. */
  readonly rebalancePerSecond: number;
  /** The process behind an endpoint that joins. */
  readonly child: (endpoint: Endpoint) => ChildProcess | undefined;
  /** Its process or the channel to it is gone, which shows here first; it is to leave the roster before the return. */
  readonly workerGone: (endpoint: Endpoint) => void;
}

/** The way to one worker, from when it joins the roster until its process has ended. */
interface Worker {
  readonly lane: HandoffLane;
  /** Its last report. */
  connections: number;
}

const rebalanceMs = 1_000;

/**
 * The front of hand-off mode: reads the first request head of a connection, decides by it, and gives the connection to a
 * worker. When a worker leaves the roster its idle connections come back, and go on to others with their next request.
 */
export class HandoffFront implements HandoffContext, PublicFront {
  readonly settings: FrontSettings;
  readonly wheel: DeadlineWheel;
  readonly clock: Clock;
  readonly responders: readonly Responder[];
  readonly responseRules: ResponseRules | undefined;
  readonly observer: TrafficObserver;
  readonly parser: RequestHeadParser;
  readonly #options: HandoffFrontOptions;
  readonly #placement: Placement;
  readonly #port: PublicPort<HandoffConnection | UnreadConnection>;
  readonly #workers = new Map<Endpoint, Worker>();
  #current: ReadonlySet<Endpoint> = new Set();
  readonly #forgetCertificates: (() => void) | undefined;
  #toldCannotMove = false;

  constructor(options: HandoffFrontOptions) {
    const { settings, balancer, routing, clock, certificates, challenges, responders = [], observer = {} } = options;
    this.#options = options;
    this.settings = settings;
    const httpsPort = () => this.#port.httpsPort;
    this.responders = frontResponders({ first: responders, settings, certificates, httpsPort });
    this.responseRules = responseRules({ rules: settings.headers.response, security: settings.securityHeaders });
    this.observer = observer;
    this.clock = clock;
    this.wheel = new DeadlineWheel(clock);
    this.parser = new RequestHeadParser(settings.limits);
    this.#placement = new Placement({ balancer, routing });
    this.#port = new PublicPort({
      settings,
      denyList: options.denyList,
      clock,
      wheel: this.wheel,
      open: (socket, facts) =>
        facts.encrypted ? new UnreadConnection(socket, facts, this) : new HandoffConnection(socket, facts, this),
      challenges,
      elsewhere: () => this.#connectionsElsewhere(),
      observer,
    });
    this.#forgetCertificates = certificates?.onRenewal(() => {
      for (const { lane } of this.#workers.values()) this.#equip(lane);
    });
  }

  get draining(): boolean {
    return this.#port.draining;
  }

  listen(): Promise<readonly ListenerAddress[]> {
    const { rebalancePerSecond } = this.#options;
    if (rebalancePerSecond > 0) this.#rebalance(rebalancePerSecond);
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

  update(endpoints: readonly Endpoint[]): void {
    const before = this.#current;
    this.#current = new Set(endpoints);
    for (const endpoint of endpoints) {
      const known = this.#workers.get(endpoint);
      if (known === undefined) this.#join(endpoint);
      else if (!before.has(endpoint)) known.lane.requestReturn(0);
    }
    for (const endpoint of before) {
      if (this.#current.has(endpoint) || this.draining) continue;
      const lane = this.#workers.get(endpoint)?.lane;
      lane?.leave();
      lane?.requestReturn("all");
    }
  }

  /** Requests are with the worker itself; connections that are on their way there turn off by themselves. */
  relieve(): void {}

  async settled(endpoint: Endpoint): Promise<void> {
    await this.#workers.get(endpoint)?.lane.settled();
  }

  cutOff(range: AddressRange): void {
    this.#port.cutOff((address) => isWithin(address, range));
    for (const { lane } of this.#workers.values()) lane.cutOff(range);
  }

  quiesce(graceMs: number): Promise<void> {
    return this.#port.quiesce(graceMs);
  }

  async close(graceMs: number): Promise<void> {
    await this.#port.close(graceMs);
    this.#forgetCertificates?.();
    this.wheel.stop();
  }

  decide(request: RequestView, tried: ReadonlySet<Endpoint> | undefined): HandoffDecision {
    let excluded = tried;
    for (;;) {
      const found = this.#placement.acquire(request, excluded);
      if (found.kind !== "lease") return { kind: "wait" };
      const lane = this.#workers.get(found.endpoint)?.lane;
      // One that belongs to a worker waits for it. Where nobody takes connections at the moment, any will do.
      const waits = this.#placement.bound || !this.#othersAccept(found.endpoint, excluded);
      if (lane !== undefined && (lane.accepting || waits)) {
        return { kind: "target", lane, lease: found };
      }
      found.release(cancelled);
      excluded = new Set(excluded).add(found.endpoint);
    }
  }

  belongsTo({ endpoint }: HandoffLane, request: RequestView, tried: ReadonlySet<Endpoint> | undefined): boolean {
    return this.#placement.placeOf(request, tried) === endpoint;
  }

  staysWith({ endpoint }: HandoffLane, request: RequestView, tried: ReadonlySet<Endpoint> | undefined): boolean {
    const place = this.#placement.placeOf(request, tried);
    return place === undefined ? !this.#othersAccept(endpoint, tried) : place === endpoint;
  }

  wait(request: RequestView, decided: (decision: HandoffTarget | HandoffRefusal) => void): () => void {
    const { balancer } = this.#options;
    return waitForWorker({ balancer, request, targetOf: (lease) => this.#targetOf(lease), decided });
  }

  workerGone({ endpoint }: HandoffLane): void {
    this.#options.workerGone(endpoint);
  }

  connectionClosed(connection: HandoffConnection | UnreadConnection): void {
    this.#port.connectionClosed(connection);
  }

  /** Once a second: those that have too many connections give idle ones back, which go where their next request goes. */
  #rebalance(perSecond: number): void {
    // Connections of clients that belong somewhere are there for a reason.
    if (this.draining || this.#options.routing?.inUse === true) return;
    this.#options.clock.after(rebalanceMs, () => this.#rebalance(perSecond));
    const counts = new Map(
      [...this.#current].map((endpoint) => [endpoint, this.#workers.get(endpoint)?.connections ?? 0]),
    );
    for (const { endpoint, most } of planReturns(counts, perSecond)) {
      this.#workers.get(endpoint)?.lane.requestReturn(most);
    }
  }

  #targetOf(lease: Lease): HandoffTarget | undefined {
    const lane = this.#workers.get(lease.endpoint)?.lane;
    if (lane !== undefined) return { kind: "target", lane, lease };
    lease.release(cancelled);
    return undefined;
  }

  #othersAccept(endpoint: Endpoint, excluded: ReadonlySet<Endpoint> | undefined): boolean {
    for (const other of this.#current) {
      if (other === endpoint || excluded?.has(other)) continue;
      if (this.#workers.get(other)?.lane.accepting === true) return true;
    }
    return false;
  }

  #join(endpoint: Endpoint): void {
    const child = this.#options.child(endpoint);
    if (child === undefined) return;
    const lane = new HandoffLane({
      endpoint,
      child,
      wheel: this.wheel,
      settings: handoffLaneDefaults,
      books: new EndpointBooks(this.#options.balancer, endpoint),
      observer: {
        connectionReturned: (socket, origin) => this.#returned(socket, origin),
        healthAsked: (check) => this.#options.health?.answer(check),
        loadReported: (report) => this.#reported(worker, report),
        requestsReported: (counts) => this.observer.requestsReported?.(endpoint, counts),
        linesReported: (lines) => this.observer.linesReported?.(endpoint, lines),
        handshakesReported: (listener, { full = 0, resumed = 0, ...failed }) => {
          if (full > 0) this.observer.handshakesMade?.("full", full, listener);
          if (resumed > 0) this.observer.handshakesMade?.("resumed", resumed, listener);
          for (const [reason, times] of Object.entries(failed))
            this.observer.handshakeFailed?.(reason as HandshakeFailure, times, listener);
        },
        cannotReturn: (detail) => this.#cannotMove(detail),
        messageDropped: () => this.observer.messageDropped?.(endpoint),
      },
    });
    const worker: Worker = { lane, connections: 0 };
    this.#workers.set(endpoint, worker);
    this.#equip(lane);
    const receive = (raw: unknown, handle: unknown) => void lane.receive(raw, handle);
    child.on(internalEvent as "message", receive);
    child.once("close", () => {
      child.off(internalEvent as "message", receive);
      this.#workers.delete(endpoint);
      this.observer.openReported?.(endpoint, { connections: 0, tunnels: 0 });
    });
  }

  /** Before the first connection: what is told in one channel arrives in that order. */
  #equip(lane: HandoffLane): void {
    const { certificates } = this.#options;
    const { https } = this.settings;
    if (certificates === undefined || https === false) return;
    lane.equip({ material: certificates.material, limits: handshakeSettings(https, ["http/1.1"]) });
  }

  #reported(worker: Worker, { connections, relayed, tunnels }: LoadReport): void {
    worker.connections = connections;
    this.observer.openReported?.(worker.lane.endpoint, { connections, tunnels });
    if (relayed > 0) this.observer.requestsRelayed?.(worker.lane.endpoint, relayed);
  }

  #returned(socket: Socket, origin: ConnectionOrigin | undefined): void {
    const connection = this.#port.readmit(socket, origin?.listener ?? 0, origin?.client);
    // With TLS none comes back.
    if (connection instanceof UnreadConnection) connection.destroy();
    else connection?.readHere();
  }

  #cannotMove(detail: string): void {
    if (this.#toldCannotMove) return;
    this.#toldCannotMove = true;
    this.observer.connectionsCannotMove?.(detail);
  }

  #connectionsElsewhere(): number {
    let sum = 0;
    for (const { connections } of this.#workers.values()) sum += connections;
    return sum;
  }
}
