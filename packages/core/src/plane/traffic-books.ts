import { latencyBucket } from "../facts/latency-histogram.ts";
import { ListenerBook } from "../facts/listener-counts.ts";
import { RequestBook, type RequestCounts, summedRequests } from "../facts/request-counts.ts";
import {
  type EndpointCounts,
  maxRoutes,
  otherRoutes,
  type TrafficCounts,
  type TrafficTotals,
} from "../facts/traffic-counts.ts";
import type {
  ConnectionRefusal,
  EndedTunnel,
  FinishedRequest,
  ObservedClient,
  TrafficObserver,
} from "../front/traffic-observer.ts";
import { backendOf, idInBackend, isInstance } from "../model/backend-endpoint-id.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { HandshakeFailure } from "../model/handshake-failure.ts";
import type { RetryCause } from "../model/retry-policy.ts";

interface Open {
  readonly connections: number;
  readonly tunnels: number;
}

/** Of one endpoint, or of a slot over all its endpoints. */
class EndpointBook {
  readonly requests = new RequestBook();
  readonly retries: Record<string, number> = {};
  tunnels = 0;
  /** As workers told it, each of its own. */
  readonly #told = new Map<Endpoint, Open>();

  isOpen(endpoint: Endpoint, open: Open): void {
    if (open.connections === 0) this.#told.delete(endpoint);
    else this.#told.set(endpoint, open);
  }

  get connections(): number {
    return [...this.#told.values()].reduce((sum, { connections }) => sum + connections, 0);
  }

  get counts(): EndpointCounts {
    const told = [...this.#told.values()];
    return {
      requests: this.requests.counts,
      retries: { ...this.retries },
      connections: this.connections,
      tunnels: told.reduce((sum, { tunnels }) => sum + tunnels, this.tunnels),
    };
  }
}

/** Endpoints of backends that are remembered after they have gone, each; what comes then is counted for its backend's `""`. */
const maxEndpoints = 1_000;

/** What a plane counts of its traffic, besides what its balancer does. Nothing is forgotten when an instance is replaced. */
export class TrafficBooks implements TrafficObserver {
  readonly #answered = new Map<number, number>();
  readonly #relayed = new Map<number, number>();
  readonly #listeners: readonly ListenerBook[];
  readonly #routes = new Map<string, RequestBook>();
  readonly #slots = new Map<number, EndpointBook>();
  readonly #backends = new Map<string, Map<string, EndpointBook>>();
  /** Where what happens at an endpoint is noted; none: it is no endpoint but ourselves. */
  readonly #byEndpoint = new WeakMap<Endpoint, EndpointBook | "none">();

  /** `listeners`: how many there are. */
  constructor(listeners: number) {
    this.#listeners = Array.from({ length: listeners }, () => new ListenerBook());
  }

  connectionOpened({ listener }: ObservedClient, returned: boolean): void {
    this.#listeners[listener]?.opened(returned);
  }

  connectionClosed({ listener }: ObservedClient): void {
    this.#listeners[listener]?.closed();
  }

  connectionRefused({ reason }: ConnectionRefusal, listener: number): void {
    this.#listeners[listener]?.refused(reason);
  }

  connectionDenied(_remoteAddress: string, listener: number): void {
    this.#listeners[listener]?.refused("denied");
  }

  handshakesMade(kind: "full" | "resumed", times: number, listener: number): void {
    this.#listeners[listener]?.handshakes(kind, times);
  }

  handshakeFailed(reason: HandshakeFailure, times: number, listener: number): void {
    this.#listeners[listener]?.handshakesFailed(reason, times);
  }

  headRefused({ listener }: ObservedClient): void {
    this.#listeners[listener]?.headRefused();
  }

  requestFinished(finished: FinishedRequest): void {
    const { endpoint, request, client, respondedMs, endedMs, requestBytes, responseBytes } = finished;
    const firstByteBucket = respondedMs === undefined ? 0 : latencyBucket(respondedMs);
    const totalBucket = latencyBucket(endedMs);
    this.#listeners[client.listener]?.request(requestBytes, responseBytes);
    this.#route(request.route).note(finished, firstByteBucket, totalBucket);
    if (endpoint === undefined) return;
    const book = this.#of(endpoint);
    if (book === "none") return;
    book.requests.note(finished, firstByteBucket, totalBucket);
    if (finished.end === "tunnel") book.tunnels += 1;
  }

  tunnelEnded({ client, request, endpoint, bytesIn, bytesOut }: EndedTunnel): void {
    this.#listeners[client.listener]?.moved(bytesIn, bytesOut);
    this.#route(request.route).moved(bytesIn, bytesOut);
    const book = this.#of(endpoint);
    if (book === "none") return;
    book.requests.moved(bytesIn, bytesOut);
    book.tunnels -= 1;
  }

  retried(endpoint: Endpoint, cause: RetryCause): void {
    const book = this.#of(endpoint);
    if (book !== "none") book.retries[cause] = (book.retries[cause] ?? 0) + 1;
  }

  /** In hand-off mode there are no routes. */
  requestsReported(endpoint: Endpoint, counts: RequestCounts): void {
    this.#route("").add(counts);
    const book = this.#of(endpoint);
    if (book !== "none") book.requests.add(counts);
  }

  openReported(endpoint: Endpoint, open: Open): void {
    const book = this.#of(endpoint);
    if (book !== "none") book.isOpen(endpoint, open);
  }

  answered(status: number): void {
    this.#answered.set(status, (this.#answered.get(status) ?? 0) + 1);
  }

  requestsRelayed({ slot }: Endpoint, requests: number): void {
    this.#relayed.set(slot, (this.#relayed.get(slot) ?? 0) + requests);
  }

  /** Answers in place of the app, by status; requests that workers passed on, by slot. */
  get all(): { readonly answered: Record<string, number>; readonly relayed: Record<string, number> } {
    return { answered: Object.fromEntries(this.#answered), relayed: Object.fromEntries(this.#relayed) };
  }

  get totals(): TrafficTotals {
    let connections = 0;
    for (const book of this.#listeners) connections += book.open;
    for (const book of this.#slots.values()) connections += book.connections;
    return { requests: summedRequests([...this.#routes.values()].map(({ counts }) => counts)), connections };
  }

  get counts(): TrafficCounts {
    const endpoints = (books: ReadonlyMap<string | number, EndpointBook>) =>
      Object.fromEntries([...books].map(([name, book]) => [name, book.counts]));
    return {
      listeners: this.#listeners.map(({ counts }) => counts),
      routes: Object.fromEntries([...this.#routes].map(([name, book]) => [name, book.counts])),
      slots: endpoints(this.#slots),
      backends: Object.fromEntries([...this.#backends].map(([name, books]) => [name, endpoints(books)])),
    };
  }

  #route(name: string): RequestBook {
    const known = this.#routes.get(name);
    if (known !== undefined) return known;
    if (this.#routes.size >= maxRoutes && name !== otherRoutes) return this.#route(otherRoutes);
    const book = new RequestBook();
    this.#routes.set(name, book);
    return book;
  }

  #of(endpoint: Endpoint): EndpointBook | "none" {
    let book = this.#byEndpoint.get(endpoint);
    if (book === undefined) {
      book = this.#find(endpoint);
      this.#byEndpoint.set(endpoint, book);
    }
    return book;
  }

  #find({ id, slot }: Endpoint): EndpointBook | "none" {
    if (isInstance(id)) return bookOf(this.#slots, slot);
    const backend = backendOf(id);
    if (backend === undefined) return "none";
    let books = this.#backends.get(backend);
    if (books === undefined) {
      books = new Map();
      this.#backends.set(backend, books);
    }
    const name = idInBackend(id);
    return bookOf(books, books.has(name) || books.size < maxEndpoints ? name : "");
  }
}

function bookOf<Name>(books: Map<Name, EndpointBook>, name: Name): EndpointBook {
  let book = books.get(name);
  if (book === undefined) {
    book = new EndpointBook();
    books.set(name, book);
  }
  return book;
}
