import type { ProxiedClient } from "../../http/proxy-header.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import type { UpstreamTls } from "../../model/http1-reach.ts";
import type { FailureReason } from "../../model/outcome.ts";

/** The client connection on whose behalf a stream is opened, as the worker's app should see it. */
export interface UpstreamClient {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The client reached the front over TLS. */
  readonly encrypted: boolean;
  /** What endpoints that ask for it are told of the connection. */
  origin(): ProxiedClient;
  /** Streams kept for this connection by transports that hold one per client; ended when the client leaves. */
  readonly streams: Set<UpstreamStream>;
}

/** Why a stream ended before its exchange did. `sent`: whether any byte of the request may have reached the endpoint. */
export interface UpstreamFailure {
  readonly reason: Extract<FailureReason, "connect" | "reset" | "timeout">;
  readonly sent: boolean;
  /** Not this stream alone: the endpoint is gone, and its supervisor is about to put another in its place. */
  readonly endpointDown?: boolean;
  readonly cause?: Error;
}

/** Receives what comes back on a stream. Never called before `open` returned, nor after `release` or `destroy`. */
export interface UpstreamSink {
  /**
   * Response bytes `buffer[start, end)`. True: they are needed no more, and their memory may be used again; false: a slice
   * was kept, or is still being written, and the memory has to stay what it is.
   */
  upstreamBytes(buffer: Buffer, start: number, end: number): boolean;
  /**
   * The endpoint says that its response is complete: bytes that the framing still lacks will never come. Only the link
   * can tell; for other transports a deadline has to.
   */
  upstreamComplete?(): void;
  /** The endpoint half-closed: no further bytes come. */
  upstreamEnd(): void;
  /** The stream is gone. */
  upstreamFailed(failure: UpstreamFailure): void;
  /** The endpoint says nothing any more, and is given nothing new; it may still answer. */
  upstreamSilent?(): void;
  /** After a `write` that returned false: more may be written now. */
  upstreamWritable(): void;
}

/** A byte stream to one endpoint that carries one exchange at a time. */
export interface UpstreamStream {
  /** A stream that served an earlier exchange; its failure before the first response byte may be mere staleness. */
  readonly reused: boolean;
  /** Sends request bytes; a string is latin1. False: wait for `upstreamWritable`; what was given is kept all the same. */
  write(bytes: Buffer | string): boolean;
  /** From now on what comes back goes to another sink, and the stream serves no further exchange: it is a tunnel. */
  redirect(sink: UpstreamSink): void;
  /** Half-closes towards the endpoint; for tunnels only, a request's end is told by its framing. */
  end(): void;
  /** Stops and restarts `upstreamBytes`; while paused the endpoint can only send what its window allows. */
  pause(): void;
  resume(): void;
  /** The exchange is complete in both directions and left no stray byte: the stream may serve another one. */
  release(): void;
  /** Gives the stream up: the endpoint sees its connection close. Idempotent. */
  destroy(): void;
}

/** The way to one endpoint. Two exist: the link, to our own workers, and HTTP/1.1 with a keep-alive pool, to any other. */
export interface Transport {
  readonly endpoint: Endpoint;
  /**
   * Never throws: what goes wrong arrives at `sink.upstreamFailed`, in a later turn. `fresh` asks for a stream that no
   * exchange used before, after one failed that had: its connection may just have been closed as idle.
   */
  open(client: UpstreamClient, sink: UpstreamSink, fresh?: boolean): UpstreamStream;
  /** The endpoint says nothing any more: whoever waits for it is told. */
  silent?(): void;
  /** What its certificates are judged by, and our own, may be others: connections that are made from now on go by these. */
  renewed?(tls: UpstreamTls): void;
  /** Ends idle streams now and the others when their exchange ends. */
  close(): void;
}
