import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { Admission } from "../../src/front/admission.ts";
import { DeadlineWheel } from "../../src/front/deadline-wheel.ts";
import { ClientConnection } from "../../src/front/proxy/client-connection.ts";
import type { FrontContext } from "../../src/front/proxy/context.ts";
import type { InFlightLimit } from "../../src/front/proxy/in-flight-limit.ts";
import { Pool } from "../../src/front/proxy/pool.ts";
import type { Quarantine } from "../../src/front/proxy/quarantine.ts";
import { straightWay } from "../../src/front/proxy/way.ts";
import { RequestLimit } from "../../src/front/request-limit.ts";
import type { Responder } from "../../src/front/responder.ts";
import type { FrontSettings } from "../../src/front/settings.ts";
import type { TrafficObserver } from "../../src/front/traffic-observer.ts";
import type {
  Transport,
  UpstreamClient,
  UpstreamFailure,
  UpstreamSink,
  UpstreamStream,
} from "../../src/front/transport/upstream.ts";
import type { Clock } from "../../src/model/clock.ts";
import type { Endpoint } from "../../src/model/endpoint.ts";
import type { RateLimitSettings } from "../../src/options/rate-limit-options.ts";
import { defaultFrontSettings } from "./default-settings.ts";
import { balance } from "./manual-balancer.ts";

/** A client's socket without a network: what is written is kept as text, what is pushed arrives at once. */
export class MemoryClient extends EventEmitter {
  readonly remotePort = 40_000;
  written = "";
  ending: "open" | "ended" | "destroyed" | "reset" = "open";
  paused = false;
  writableLength = 0;
  bytesWritten = 0;
  /** Writes are taken, and waited for. */
  full = false;
  /** How many writes there were: what one read brought is to leave in one. */
  writes = 0;
  #corked = false;

  get writableNeedDrain(): boolean {
    return this.full && this.writableLength > 0;
  }

  write(bytes: Buffer | string, encoding: BufferEncoding = "latin1"): boolean {
    const text = typeof bytes === "string" ? bytes : bytes.toString("latin1");
    this.written += Buffer.from(text, encoding).toString("latin1");
    this.bytesWritten += text.length;
    if (!this.#corked) this.writes++;
    if (this.full) this.writableLength += text.length;
    return !this.full;
  }

  cork(): void {
    this.#corked = true;
  }

  uncork(): void {
    this.#corked = false;
    this.writes++;
  }

  end(bytes?: Buffer): void {
    if (bytes !== undefined) this.write(bytes);
    if (this.ending === "open") this.ending = "ended";
  }

  destroy(): void {
    this.#close("destroyed");
  }

  resetAndDestroy(): void {
    this.#close("reset");
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  send(text: string): this {
    this.emit("data", Buffer.from(text, "latin1"));
    return this;
  }

  drain(): void {
    this.full = false;
    this.writableLength = 0;
    this.emit("drain");
  }

  /** Takes what was written since. */
  take(): string {
    const { written } = this;
    this.written = "";
    return written;
  }

  #close(ending: "destroyed" | "reset"): void {
    if (this.ending === "destroyed" || this.ending === "reset") return;
    this.ending = ending;
    this.emit("close");
  }
}

/** A stream to an endpoint that is played by the test. */
export class MemoryStream implements UpstreamStream {
  readonly reused = false;
  sent = "";
  state: "open" | "released" | "destroyed" = "open";
  paused = false;
  ended = false;
  /** What it is given is taken, and to be waited for. */
  full = false;
  #sink: UpstreamSink;

  constructor(sink: UpstreamSink) {
    this.#sink = sink;
  }

  write(bytes: Buffer | string): boolean {
    this.sent += typeof bytes === "string" ? bytes : bytes.toString("latin1");
    return !this.full;
  }

  redirect(sink: UpstreamSink): void {
    this.#sink = sink;
  }

  end(): void {
    this.ended = true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  release(): void {
    this.state = "released";
  }

  destroy(): void {
    if (this.state === "open") this.state = "destroyed";
  }

  answers(text: string): this {
    const buffer = Buffer.from(text, "latin1");
    this.#sink.upstreamBytes(buffer, 0, buffer.length);
    return this;
  }

  takesMore(): void {
    this.full = false;
    this.#sink.upstreamWritable();
  }

  fails(failure: UpstreamFailure): void {
    this.#sink.upstreamFailed(failure);
  }

  endsBytes(): void {
    this.#sink.upstreamEnd();
  }
}

class MemoryTransport implements Transport {
  readonly endpoint: Endpoint;
  readonly #opened: MemoryStream[];

  constructor(endpoint: Endpoint, opened: MemoryStream[]) {
    this.endpoint = endpoint;
    this.#opened = opened;
  }

  open(_client: UpstreamClient, sink: UpstreamSink): UpstreamStream {
    const stream = new MemoryStream(sink);
    this.#opened.push(stream);
    return stream;
  }

  close(): void {}
}

export interface MemoryProxyOptions {
  readonly endpoints?: number;
  readonly settings?: Partial<FrontSettings>;
  readonly responders?: readonly Responder[];
  readonly observer?: TrafficObserver;
  readonly rateLimit?: RateLimitSettings;
  /** Of its only way. */
  readonly inFlight?: (clock: Clock) => InFlightLimit;
  /** Of its only pool, whose endpoints die by themselves then. */
  readonly quarantine?: (clock: Clock) => Quarantine;
}

/** What connections of proxy mode have around them: streams that the test answers on, and no real clock. */
export function memoryContext({
  endpoints = 2,
  responders = [],
  observer = {},
  rateLimit,
  inFlight: limitOf,
  quarantine,
  ...given
}: MemoryProxyOptions = {}) {
  const balanced = balance(endpoints);
  const { clock, balancer, all } = balanced;
  const settings = { ...defaultFrontSettings, listeners: [], ...given.settings };
  const streams: MemoryStream[] = [];
  const backend = (endpoint: Endpoint) => ({ transport: new MemoryTransport(endpoint, streams), responseLines: "" });
  const known = quarantine && { quarantine: quarantine(clock), diedByItself: () => true };
  const pool = new Pool({ balancer, clock, backend, ...known });
  pool.update(all);
  const closed: boolean[] = [];
  const context: FrontContext & { draining: boolean } = {
    settings,
    way: straightWay({
      settings,
      pool,
      routing: undefined,
      responseRules: undefined,
      inFlight: limitOf?.(clock),
    }),
    router: undefined,
    limit: rateLimit && new RequestLimit({ settings: rateLimit, clock, limited: () => {}, keyFailed: () => {} }),
    headLimits: settings.limits,
    responders: [...responders, new Admission(settings)],
    responseRules: undefined,
    observer,
    clock,
    wheel: new DeadlineWheel(clock),
    draining: false,
    tunnelOpened() {},
    connectionClosed: (_client, wasTunnel) => closed.push(wasTunnel),
  };
  const inFlight = () => balancer.status().endpoints.reduce((sum, status) => sum + status.inFlight, 0);
  return { ...balanced, context, streams, closed, inFlight };
}

/** Of the client of {@link memoryContext}'s connections. */
export const memoryFacts = { peerAddress: "203.0.113.9", peerTrusted: false, encrypted: false, localPort: 3000 };

/** One client connection of proxy mode over streams that the test answers on; nothing of it touches a socket or a real clock. */
export function memoryProxy(options: MemoryProxyOptions = {}) {
  const around = memoryContext(options);
  const client = new MemoryClient();
  const connection = new ClientConnection(client as unknown as Socket, memoryFacts, around.context);
  return { ...around, client, connection };
}
