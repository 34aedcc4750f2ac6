import type { Socket } from "node:net";
import { proxyHeader } from "../../http/proxy-header.ts";
import type { Clock, Timer } from "../../model/clock.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import type { Http1Pool, Http1Reach, UpstreamTls } from "../../model/http1-reach.ts";
import { openConnection } from "../../tls/endpoint-connection.ts";
import { EndpointTls } from "../../tls/endpoint-tls.ts";
import { distrust, UntrustedError } from "../../tls/untrusted.ts";
import { Http1Stream, type Http1StreamOwner } from "./http1-stream.ts";
import { type IdleStreams, OwnStreams, SharedStreams } from "./idle-streams.ts";
import type { Transport, UpstreamClient, UpstreamFailure, UpstreamSink, UpstreamStream } from "./upstream.ts";

const defaultPool: Http1Pool = {
  maxConnections: Number.POSITIVE_INFINITY,
  maxIdle: 64,
  idleTimeoutMs: 4_000,
  maxRequestsPerConnection: Number.POSITIVE_INFINITY,
  connectTimeoutMs: 5_000,
};

/** So long is waited to see whether an endpoint on this machine, one of whose connections broke, is there at all. */
const judgementMs = 200;
/** A system ends the connections of a process that died before its listening socket, where this one would then wait in vain; on a busy machine that takes a while. */
const endingMs = 100;

export interface Http1TransportOptions {
  readonly endpoint: Endpoint;
  /** Its address is the one that counts: the endpoint's may be that of something else, such as a link. */
  readonly reach: Http1Reach;
  readonly clock: Clock;
  /** The endpoint could not show that it is the one that was meant, and was given nothing. Told of each connection. */
  readonly untrusted?: (error: UntrustedError) => void;
}

/** HTTP/1.1 to any endpoint over TCP or a Unix socket, encrypted or not, with a pool of kept-alive connections. */
export class Http1Transport implements Transport, Http1StreamOwner {
  readonly endpoint: Endpoint;
  readonly #options: Http1TransportOptions;
  readonly #pool: Http1Pool;
  readonly #tls: EndpointTls | undefined;
  readonly #idle: IdleStreams;
  /** Connections that are being made, each with the call that gives it up. */
  readonly #connecting = new Map<Http1Stream, () => void>();
  #sweep: Timer | undefined;
  /** When certificates were last renewed. */
  #renewedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: Http1TransportOptions) {
    const { endpoint, reach, clock } = options;
    this.endpoint = endpoint;
    this.#options = options;
    this.#pool = { ...defaultPool, ...reach.pool };
    this.#idle = reach.proxyProtocol === undefined ? new SharedStreams(this.#pool.maxIdle) : new OwnStreams();
    if (reach.tls !== undefined) this.#tls = new EndpointTls(reach.tls, clock);
  }

  open(client: UpstreamClient, sink: UpstreamSink, fresh = false): UpstreamStream {
    const stream = (fresh ? undefined : this.#idle.take(client)) ?? this.#connect(client);
    stream.attach(sink);
    return stream;
  }

  /** Connections that were made by other ones serve what is on them, and nobody after that. */
  renewed(tls: UpstreamTls): void {
    if (this.#tls?.renew(tls) !== true) return;
    this.#renewedAt = this.#options.clock.now();
    this.#closeIdle();
  }

  close(): void {
    this.#closed = true;
    this.#sweep?.cancel();
    this.#closeIdle();
  }

  #closeIdle(): void {
    for (let { oldest } = this.#idle; oldest !== undefined; oldest = this.#idle.oldest) oldest.destroy();
  }

  idle(stream: Http1Stream): void {
    const { maxIdle, maxRequestsPerConnection, idleTimeoutMs } = this.#pool;
    const isOutdated = stream.begunAt < this.#renewedAt;
    if (this.#closed || isOutdated || stream.exchanges >= maxRequestsPerConnection || maxIdle === 0) {
      stream.destroy();
      return;
    }
    const { clock } = this.#options;
    stream.idleSince = clock.now();
    this.#idle.put(stream)?.destroy();
    this.#sweep ??= clock.after(idleTimeoutMs, () => this.#closeExpired());
  }

  get supervised(): boolean {
    return this.#options.reach.supervised === true;
  }

  judge(failure: UpstreamFailure, told: (failure: UpstreamFailure) => void): void {
    if (!this.supervised) {
      told(failure);
      return;
    }
    const judged = (error?: Error) => told(isNobodyThere(error) ? { ...failure, endpointDown: true } : failure);
    // One that was in the queue of a socket that closes is reset, before or after we hear that it stands.
    if (failure.reason === "connect" && !isReset(failure.cause)) {
      judged(failure.cause);
      return;
    }
    this.#probe((socket) => {
      lastsFor(endingMs, { socket, clock: this.#options.clock }, (lasts) => {
        if (lasts) judged();
        else
          this.#probe((again) => {
            again.destroy();
            judged();
          }, judged);
      });
    }, judged);
  }

  /** Makes a connection, to see whether one can be made. */
  #probe(opened: (socket: Socket) => void, failed: (error: Error) => void): void {
    const { reach, clock } = this.#options;
    const { address } = reach;
    openConnection({ address, tls: undefined, preface: undefined, clock, timeoutMs: judgementMs, opened, failed });
  }

  gone(stream: Http1Stream): void {
    stream.client.streams.delete(stream);
    const giveUp = this.#connecting.get(stream);
    if (giveUp !== undefined) {
      this.#connecting.delete(stream);
      giveUp();
      return;
    }
    this.#idle.remove(stream);
  }

  #connect(client: UpstreamClient): Http1Stream {
    const { reach, clock, untrusted } = this.#options;
    // Who asks for one is within the bound; with those that rest there may be one too many.
    if (this.#pool.maxConnections !== Number.POSITIVE_INFINITY) this.#idle.oldest?.destroy();
    const stream = new Http1Stream(client, this);
    stream.begunAt = clock.now();
    const isItsOwn = reach.proxyProtocol !== undefined;
    if (isItsOwn) client.streams.add(stream);
    const giveUp = openConnection({
      address: reach.address,
      preface: isItsOwn ? proxyHeader(client.origin()) : undefined,
      tls: this.#tls,
      clock,
      timeoutMs: this.#pool.connectTimeoutMs,
      opened: (socket) => {
        this.#connecting.delete(stream);
        if (this.#tls !== undefined) this.#hearDistrust(socket, this.#tls);
        stream.opened(socket);
      },
      failed: (error) => {
        this.#connecting.delete(stream);
        if (error instanceof UntrustedError) untrusted?.(error);
        stream.failed(error);
      },
    });
    this.#connecting.set(stream, giveUp);
    return stream;
  }

  /** By TLS 1.3 an endpoint says that it does not like our certificate after the handshake, as far as we can see. */
  #hearDistrust(socket: Socket, { servername }: EndpointTls): void {
    socket.once("error", (error) => {
      const why = distrust(error, servername);
      if (why !== undefined) this.#options.untrusted?.(why);
    });
  }

  #closeExpired(): void {
    this.#sweep = undefined;
    const { clock } = this.#options;
    const now = clock.now();
    const { idleTimeoutMs } = this.#pool;
    for (let { oldest } = this.#idle; oldest !== undefined; oldest = this.#idle.oldest) {
      const left = oldest.idleSince + idleTimeoutMs - now;
      if (left > 0) {
        this.#sweep = clock.after(left, () => this.#closeExpired());
        return;
      }
      oldest.destroy();
    }
  }
}

/** Whether the connection is there for so long; then it is ended. */
function lastsFor(
  ms: number,
  { socket, clock }: { readonly socket: Socket; readonly clock: Clock },
  told: (lasts: boolean) => void,
): void {
  const ended = () => {
    end.cancel();
    told(false);
  };
  const end = clock.after(ms, () => {
    socket.off("close", ended);
    socket.destroy();
    told(true);
  });
  socket.on("error", () => {});
  socket.once("close", ended);
  socket.resume();
}

/** The connection was refused, by the system or for want of a socket. */
function isNobodyThere(error: Error | undefined): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === "ECONNREFUSED" || code === "ENOENT";
}

function isReset(error: Error | undefined): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === "ECONNRESET";
}
