import type { Socket } from "node:net";
import { BodyReader, type BodySink } from "../http/body-reader.ts";
import { errorResponse } from "../http/error-response.ts";
import type { ForwardingFacts } from "../http/forwarding.ts";
import { RequestHead, RequestHeadParser } from "../http/request-head.ts";
import type { FrontContext } from "./context.ts";
import type { Expiring } from "./deadline-wheel.ts";
import { Exchange } from "./exchange.ts";
import type { ClientPeer, UpstreamStream } from "./upstream.ts";

/**
 * - `head`: a request head is expected or arriving;
 * - `body`: a request is being answered and its body arrives;
 * - `busy`: a request is being answered, what arrives belongs to the next one;
 * - `tunnel`: bytes pass unread both ways;
 * - `lingering`: the last answer was given, what arrives is dropped;
 * - `closed`.
 */
type State = "head" | "body" | "busy" | "tunnel" | "lingering" | "closed";

/** Bytes of a next request taken in while one is being answered; more wait in the kernel. */
const maxHeldBytes = 16_384;
/** Bytes dropped after a final answer before the client is cut off. */
const maxLingerBytes = 1_048_576;

/** One client's TCP connection: reads requests off it, one after the other, and has an exchange answer each. */
export class ClientConnection implements ClientPeer, Expiring, BodySink {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly encrypted: boolean;
  readonly streams: Set<UpstreamStream> = new Set();
  readonly facts: ForwardingFacts;
  readonly socket: Socket;
  deadlineTick = 0;
  heldTick = 0;
  readonly #context: FrontContext;
  readonly #parser: RequestHeadParser;
  readonly #body: BodyReader = new BodyReader();
  readonly #exchange: Exchange;
  #state: State = "head";
  #held: Buffer | undefined;
  #advancing = false;
  #readingPaused = false;
  /** Bytes of a head have arrived whose end has not. */
  #headBegun = false;
  #lingered = 0;

  constructor(socket: Socket, facts: ForwardingFacts, context: FrontContext) {
    this.socket = socket;
    this.facts = facts;
    this.remoteAddress = facts.peerAddress;
    this.remotePort = socket.remotePort ?? 0;
    this.encrypted = facts.encrypted;
    this.#context = context;
    this.#parser = new RequestHeadParser(context.settings.http);
    this.#exchange = new Exchange(this, context);
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("drain", () => this.#drained());
    socket.on("end", () => this.#clientEnded());
    // The close that follows says all there is to do.
    socket.on("error", ignore);
    socket.on("close", () => this.#closed());
    this.deadline(context.settings.timeouts.keepAliveMs);
  }

  /** Moves the connection's one deadline; what it means follows from the state. */
  deadline(ms: number): void {
    this.#context.wheel.set(this, ms);
  }

  get readingPaused(): boolean {
    return this.#readingPaused;
  }

  /** Stops reading from the client while what it sent cannot be passed on. */
  pauseReading(): void {
    if (this.#readingPaused) return;
    this.#readingPaused = true;
    this.socket.pause();
  }

  resumeReading(): void {
    if (!this.#readingPaused) return;
    this.#readingPaused = false;
    this.socket.resume();
  }

  /** The exchange is over: the next request may be read, or the connection ends. */
  exchangeDone(keepAlive: boolean): void {
    if (this.#state === "closed") return;
    if (!keepAlive || this.#context.draining) {
      this.#linger();
      return;
    }
    const { timeouts } = this.#context.settings;
    this.#state = "head";
    if (this.socket.writableNeedDrain) {
      // A client that does not read its responses gets no further ones made.
      this.pauseReading();
      this.deadline(timeouts.writeIdleMs);
      return;
    }
    this.deadline(timeouts.keepAliveMs);
    if (!this.#advancing) this.#proceed();
  }

  /** Answers for ourselves and ends the connection, if no byte of another answer was sent. */
  answer(status: number, options?: { readonly retryAfterSeconds?: number; readonly head?: boolean }): void {
    if (this.#state === "closed" || this.#state === "lingering") return;
    this.socket.write(errorResponse(status, options));
    this.#linger();
  }

  /** From here on bytes pass unread. */
  openTunnel(): void {
    this.#state = "tunnel";
    this.resumeReading();
    this.deadline(this.#context.settings.timeouts.tunnelMs);
  }

  /** Cuts the connection off: what was sent of a response is not complete, and must not look so. */
  cut(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Ends the connection as soon as it owes no answer. */
  drain(): void {
    if (this.#state === "head" && this.#held === undefined) this.#linger();
  }

  expired(): void {
    switch (this.#state) {
      case "head":
        if (this.#headBegun) this.answer(408);
        else this.destroy();
        return;
      case "body":
      case "busy":
      case "tunnel":
        this.#exchange.expired(this.#state === "body");
        return;
      case "lingering":
        this.destroy();
        return;
      case "closed":
        return;
      default:
        this.#state satisfies never;
    }
  }

  bodyBytes(buffer: Buffer, start: number, end: number): void {
    this.#exchange.sendBody(start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end));
  }

  #received(chunk: Buffer): void {
    if (this.#state === "tunnel") {
      this.#exchange.sendTunnelled(chunk);
      return;
    }
    if (this.#state === "lingering") {
      this.#lingered += chunk.length;
      if (this.#lingered > maxLingerBytes) this.destroy();
      return;
    }
    if (this.#held === undefined) {
      this.#advance(chunk, 0);
      return;
    }
    const buffer = Buffer.concat([this.#held, chunk]);
    this.#held = undefined;
    this.#advance(buffer, 0);
  }

  #proceed(): void {
    const held = this.#held;
    this.resumeReading();
    if (held === undefined) return;
    this.#held = undefined;
    this.#advance(held, 0);
  }

  /** Reads as many messages as `buffer` from `position` on holds and the answers allow. */
  #advance(buffer: Buffer, position: number): void {
    this.#advancing = true;
    let at = position;
    for (let more = true; more; ) {
      switch (this.#state) {
        case "head": {
          if (at === buffer.length || this.socket.writableNeedDrain) {
            this.#hold(buffer, at);
            more = false;
            break;
          }
          const head = this.#parser.parse(buffer, at, buffer.length);
          if (head === undefined) {
            if (!this.#headBegun) this.deadline(this.#context.settings.timeouts.headersMs);
            this.#headBegun = true;
            this.#hold(buffer, at);
            more = false;
          } else if (!(head instanceof RequestHead)) {
            this.answer(head.status);
            more = false;
          } else {
            this.#headBegun = false;
            at += head.byteLength;
            this.#begin(head, at < buffer.length);
          }
          break;
        }
        case "body":
          at = this.#readBody(buffer, at);
          more = (this.#state as State) !== "body";
          break;
        case "busy":
          this.#hold(buffer, at);
          more = false;
          break;
        default:
          more = false;
      }
    }
    this.#advancing = false;
  }

  #begin(head: RequestHead, moreBytes: boolean): void {
    if (head.upgrade !== undefined && moreBytes) {
      this.answer(400);
      return;
    }
    if (head.framing.kind === "none") {
      this.#state = "busy";
    } else {
      this.#state = "body";
      this.#body.reset(head.framing, { limits: this.#context.settings.http, emit: "framed", role: "request" });
    }
    this.#exchange.begin(head);
  }

  #readBody(buffer: Buffer, start: number): number {
    const at = this.#body.read(buffer, start, buffer.length, this);
    const { failure } = this.#body;
    if (failure !== undefined) {
      this.#exchange.malformed(failure.kind === "rejection" ? failure.status : 400);
    } else if (this.#body.complete) {
      if (this.#state === "body") this.#state = "busy";
      this.#exchange.requestComplete();
    }
    return at;
  }

  #hold(buffer: Buffer, at: number): void {
    if (at === buffer.length) return;
    this.#held = at === 0 ? buffer : buffer.subarray(at);
    if (this.#state === "busy" && this.#held.length > maxHeldBytes) this.pauseReading();
  }

  #drained(): void {
    if (this.#state === "head") {
      this.deadline(this.#context.settings.timeouts.keepAliveMs);
      this.#proceed();
    } else this.#exchange.clientDrained();
  }

  #clientEnded(): void {
    switch (this.#state) {
      case "tunnel":
        this.#exchange.endTunnelled();
        return;
      case "body":
      case "busy":
        // A client that closes while it is owed an answer has gone away, as far as a FIN can tell (as in nginx).
        this.destroy();
        return;
      default:
        this.socket.end();
    }
  }

  /** Sends what is written, then FIN, and reads on for a while: a reset would take the answer from the client. */
  #linger(): void {
    this.#state = "lingering";
    this.#held = undefined;
    this.socket.end();
    this.resumeReading();
    this.deadline(this.#context.settings.timeouts.lingerMs);
  }

  #closed(): void {
    this.#state = "closed";
    this.#held = undefined;
    this.#context.wheel.clear(this);
    this.#exchange.clientGone();
    for (const stream of this.streams) stream.destroy();
    this.streams.clear();
    this.#context.connectionClosed(this);
  }
}

function ignore(): void {}
