import type { ForwardingFacts } from "../../http/forwarding.ts";
import type { RequestHead } from "../../http/request-head.ts";
import type { AnswerOptions } from "../answer-options.ts";
import type { RequestTrace } from "../request-trace.ts";
import type { UpstreamClient } from "../transport/upstream.ts";
import type { Downstream } from "./downstream.ts";

/** What a client's connection tells the tunnel it has become. */
export interface TunnelEntrance {
  /** Whose it is, as a proxy may have named him. */
  readonly clientAddress: string;
  /** Bytes of the client. */
  send(bytes: Buffer): void;
  /** The client half-closed. */
  clientEnded(): void;
  /** The client can take bytes again. */
  clientDrained(): void;
  clientGone(): void;
}

/** A client's connection as those see it who answer its requests. */
export interface Client extends UpstreamClient {
  /** Where its responses go. */
  readonly downstream: Downstream;
  readonly facts: ForwardingFacts;
  readonly readingPaused: boolean;
  /** Notes what becomes of a request, if anybody wants to know. */
  trace(request: RequestHead, now?: number): RequestTrace | undefined;
  /** Moves the connection's one deadline; what it means follows from what the connection is doing. */
  deadline(ms: number): void;
  /** Stops reading from the client while what it sent cannot be passed on. */
  pauseReading(): void;
  resumeReading(): void;
  /**
   * The exchange is over: the next request may be read, or the connection ends. `clientIsDone`: the request came whole,
   * and said that it was the last.
   */
  exchangeDone(keepAlive: boolean, clientIsDone: boolean): void;
  /** Answers for ourselves and ends the connection. The one who knows the request has told its trace. Only while no byte of another answer was sent. */
  answer(status: number, options?: AnswerOptions): void;
  /** From here on bytes pass unread, through the tunnel. */
  openTunnel(tunnel: TunnelEntrance): void;
  /** Cuts the connection off: what was sent of a response is not complete, and must not look so. */
  cut(): void;
  destroy(): void;
}
