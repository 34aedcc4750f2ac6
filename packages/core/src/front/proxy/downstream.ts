import type { DownstreamOptions } from "../../http/downstream.ts";
import type { ResponseHead } from "../../http/response-head.ts";

/**
 * Where a response goes: a connection of HTTP/1.1, or a stream of another protocol. What is given between two calls of
 * `flush` came in one read and is to leave in one write.
 */
export interface Downstream {
  /** How bodies are to come, after `head` was called: as they were framed for HTTP/1.1, or without their framing. */
  readonly bodies: "framed" | "payload";
  /** With the system: nothing of what was given is needed any more. */
  readonly drained: boolean;
  /** In all, what waits to be written included. */
  readonly bytesWritten: number;
  /** A 1xx other than 101. Left out where the client would not understand it. */
  interim(head: ResponseHead, clientMinorVersion: 0 | 1): void;
  /** The head of the response, or a 101, as it stands in `buffer` from `start` to `end`. */
  head(head: ResponseHead, options: DownstreamOptions, buffer: Buffer, start: number, end: number): void;
  /** Of the body, or of a tunnel. `buffer` is the downstream's until it is {@link drained}. */
  bytes(buffer: Buffer, start: number, end: number): void;
  /** False: the client takes no more for now, and says when it does. */
  flush(): boolean;
  /** Flushes: the response is complete. `trailers`, as lines, come only with bodies that were asked for without framing. */
  complete(trailers: string): void;
  /** Ends a tunnel's direction to the client. */
  end(): void;
}
