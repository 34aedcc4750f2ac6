import type { Socket } from "node:net";
import { BodyReader, type BodySink } from "../../http/body-reader.ts";
import { errorResponse } from "../../http/error-response.ts";
import { clientAddressOf, type ForwardingFacts } from "../../http/forwarding.ts";
import { ownResponse } from "../../http/own-response.ts";
import type { ProxiedClient } from "../../http/proxy-header.ts";
import { RequestHead, RequestHeadParser } from "../../http/request-head.ts";
import { shownEncrypted } from "../../http/response-rules.ts";
import { idleGraceMs } from "../../model/idle-grace.ts";
import { reset } from "../../tls/reset.ts";
import type { AnswerOptions } from "../answer-options.ts";
import { clientOrigin } from "../client-origin.ts";
import type { PublicConnection } from "../connection-table.ts";
import type { Expiring } from "../deadline-wheel.ts";
import { RequestTrace } from "../request-trace.ts";
import type { Response } from "../responder.ts";
import type { UpstreamStream } from "../transport/upstream.ts";
import type { Client, TunnelEntrance } from "./client.ts";
import type { FrontContext } from "./context.ts";
import { destinationOf } from "./destination.ts";
import { Exchange } from "./exchange.ts";
import { Http1Downstream } from "./http1-downstream.ts";
import type { PreparedAnswer } from "./prepared-answer.ts";
import type { Found } from "./router.ts";

/**
 * - `head`: a request head is expected or arriving;
 * - `held`: a request is held back, what arrives belongs to it or to the next one;
 * - `body`: a request is being answered and its body arrives;
 * - `busy`: a request is being answered, what arrives belongs to the next one;
 * - `tunnel`: bytes pass unread both ways;
 * - `lingering`: the last answer was given, what arrives is dropped;
 * - `closed`.
 */
type State = "head" | "held" | "body" | "busy" | "tunnel" | "lingering" | "closed";

/** What it takes to read requests and have them answered; a tunnel needs none of it. */
interface RequestSide {
  readonly parser: RequestHeadParser;
  readonly body: BodyReader;
  readonly exchange: Exchange;
}

/** Bytes of a next request taken in while one is being answered; more wait in the kernel. */
const maxHeldBytes = 16_384;
/** Bytes dropped after a final answer before the client is cut off. */
const maxLingerBytes = 1_048_576;

/** One client's TCP connection: reads requests off it, one after the other, and has an exchange answer each. */
export class ClientConnection implements Client, PublicConnection, Expiring, BodySink {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly encrypted: boolean;
  readonly streams: Set<UpstreamStream> = new Set();
  readonly facts: ForwardingFacts;
  readonly downstream: Http1Downstream;
  deadlineTick = 0;
  heldTick = 0;
  readonly #socket: Socket;
  readonly #context: FrontContext;
  #requests: RequestSide | undefined;
  #tunnel: TunnelEntrance | undefined;
  #state: State = "head";
  #held: Buffer | undefined;
  #advancing = false;
  #readingPaused = false;
  /** Bytes of a head have arrived whose end has not. */
  #headBegun = false;
  #lingered = 0;
  /** Of a request that is held back: gives it up. */
  #leave: (() => void) | undefined;

  constructor(socket: Socket, facts: ForwardingFacts, context: FrontContext) {
    this.#socket = socket;
    this.downstream = new Http1Downstream(socket);
    this.facts = facts;
    this.remoteAddress = facts.peerAddress;
    this.remotePort = facts.peerPort ?? socket.remotePort ?? 0;
    this.encrypted = facts.encrypted;
    this.#context = context;
    this.#requests = {
      parser: new RequestHeadParser(context.headLimits),
      body: new BodyReader(),
      exchange: new Exchange(this, context),
    };
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("drain", () => this.#drained());
    socket.on("end", () => this.#clientEnded());
    // The close that follows says all there is to do.
    socket.on("error", ignore);
    socket.on("close", () => this.#closed());
    this.#awaitRequest();
  }

  trace(request: RequestHead): RequestTrace | undefined {
    const { observer, clock } = this.#context;
    if (observer.requestFinished === undefined) return undefined;
    return new RequestTrace({ observer, clock, client: this, written: () => this.#socket.bytesWritten }, request);
  }

  origin(): ProxiedClient {
    return clientOrigin(this.#socket, this.facts);
  }

  deadline(ms: number): void {
    this.#context.wheel.set(this, ms);
  }

  get readingPaused(): boolean {
    return this.#readingPaused;
  }

  pauseReading(): void {
    if (this.#readingPaused) return;
    this.#readingPaused = true;
    this.#socket.pause();
  }

  resumeReading(): void {
    if (!this.#readingPaused) return;
    this.#readingPaused = false;
    this.#socket.resume();
  }

  exchangeDone(keepAlive: boolean, clientIsDone: boolean): void {
    if (this.#state === "closed") return;
    if (clientIsDone && this.#held === undefined && this.#socket.writableLength === 0) {
      // All is with the kernel and nothing more comes: no need to wait for the client's FIN.
      for (const stream of this.streams) stream.destroy();
      this.destroy();
      return;
    }
    if (!keepAlive) {
      this.#linger();
      return;
    }
    this.#state = "head";
    if (this.#socket.writableNeedDrain) {
      // A client that does not read its responses gets no further ones made.
      this.deadline(this.#context.settings.timeouts.writeIdleMs);
      return;
    }
    this.#awaitRequest();
    if (!this.#advancing) this.#proceed();
  }

  answer(status: number, options?: AnswerOptions): void {
    if (this.#state === "closed" || this.#state === "lingering") return;
    this.#context.observer.answered?.(status);
    this.#socket.write(errorResponse(status, { ...options, extra: this.#ownLines }));
    this.#linger();
  }

  openTunnel(tunnel: TunnelEntrance): void {
    this.#state = "tunnel";
    this.#tunnel = tunnel;
    this.#requests = undefined;
    this.#context.tunnelOpened();
    this.resumeReading();
  }

  cut(): void {
    reset(this.#socket);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  drain(): void {
    const idle = this.#state === "head" && this.#held === undefined && !this.#readingPaused;
    if (idle && !this.#socket.writableNeedDrain) this.#awaitRequest();
  }

  expired(): void {
    switch (this.#state) {
      case "head":
        if (this.#headBegun) this.answer(408);
        else this.destroy();
        return;
      case "held":
        return;
      case "body":
      case "busy":
        this.#requests!.exchange.expired(this.#state === "body");
        return;
      case "tunnel":
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
    this.#requests!.exchange.sendBody(start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end));
  }

  #received(chunk: Buffer): void {
    if (this.#state === "tunnel") {
      this.#tunnel!.send(chunk);
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

  /** Idle: a request may come. While the front drains, one more at most, whose answer says that it is the last. */
  #awaitRequest(): void {
    const { draining, settings } = this.#context;
    const { keepAliveMs } = settings.timeouts;
    this.deadline(draining ? Math.min(keepAliveMs, idleGraceMs) : keepAliveMs);
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
          if (at === buffer.length || this.#socket.writableNeedDrain) {
            this.#hold(buffer, at);
            more = false;
            break;
          }
          const head = this.#requests!.parser.parse(buffer, at, buffer.length);
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
        case "held":
          this.#hold(buffer, at);
          more = false;
          break;
        case "body":
          at = this.#readBody(buffer, at);
          more = (this.#state as State) !== "body";
          break;
        case "busy":
          // Bytes of which nobody can say yet what protocol they are of, as in `#begin`.
          if (at < buffer.length && this.#requests!.exchange.mayUpgrade) this.#requests!.exchange.brokenOff(400);
          else this.#hold(buffer, at);
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
    head.clientAddress = clientAddressOf(head, this.facts);
    const found = destinationOf(head, this.facts, this.#context);
    if (found.kind !== "held") {
      this.#follow(head, found);
      return;
    }
    this.#state = "held";
    this.deadline(Number.POSITIVE_INFINITY);
    const trace = this.trace(head);
    const leave = found.wait((to) => this.#released(head, to));
    this.#leave = () => {
      leave();
      trace?.ended("client-left");
    };
  }

  /** A request that was held back goes on, with what has come behind its head. */
  #released(head: RequestHead, to: Found): void {
    this.#leave = undefined;
    const held = this.#held;
    if (head.upgrade !== undefined && held !== undefined) {
      this.answer(400);
      return;
    }
    this.#follow(head, to);
    // If it was answered, the next one has been read off that already.
    if ((this.#state as State) !== "body" || held === undefined || this.#held !== held) return;
    this.#held = undefined;
    this.#advance(held, 0);
  }

  #follow(head: RequestHead, found: Found): void {
    if (found.kind === "prepared") {
      this.#respondPrepared(head, found);
      return;
    }
    if (found.kind !== "way") {
      this.#respond(head, found);
      return;
    }
    if (head.framing.kind === "none") this.#state = "busy";
    else {
      this.#state = "body";
      this.#requests!.body.reset(head.framing, { limits: found.limits, emit: "framed", role: "request" });
    }
    this.#requests!.exchange.begin(head, found);
  }

  /** Answers in place of the app. A body that was not read is not waited for: the connection ends. */
  #respond(request: RequestHead, response: Response): void {
    const { observer, draining } = this.#context;
    const trace = this.trace(request);
    const head = request.method === "HEAD";
    if (response.kind === "refusal") this.answer(response.status, { head });
    else {
      const keepAlive = request.persistent && request.framing.kind === "none" && !draining;
      observer.answered?.(response.status);
      this.#state = "busy";
      this.#socket.write(ownResponse(response, { keepAlive, head, extra: this.#ownLines }));
      this.exchangeDone(keepAlive, !request.persistent && request.framing.kind === "none");
    }
    trace?.responded(response.status, "front");
    trace?.ended("complete");
  }

  /** Answers with what is in memory. */
  #respondPrepared(request: RequestHead, answer: PreparedAnswer): void {
    const trace = this.trace(request);
    const bodyless = request.framing.kind === "none";
    const keepAlive = request.persistent && bodyless && !this.#context.draining;
    trace?.attempted(answer.endpoint);
    this.#state = "busy";
    const { minorVersion } = request;
    const [first, second] = answer.http1({ minorVersion, keepAlive, encrypted: shownEncrypted(request, this.facts) });
    if (second === undefined) this.#socket.write(first!);
    else {
      this.#socket.cork();
      this.#socket.write(first!);
      this.#socket.write(second);
      this.#socket.uncork();
    }
    this.exchangeDone(keepAlive, !request.persistent && bodyless);
    trace?.responded(answer.status, "app");
    trace?.ended("complete");
  }

  /** Of answers of our own. */
  get #ownLines(): string {
    return this.#context.responseRules?.ownLines(this.facts) ?? "";
  }

  #readBody(buffer: Buffer, start: number): number {
    const { body, exchange } = this.#requests!;
    const at = body.read(buffer, start, buffer.length, this);
    const { failure } = body;
    if (failure !== undefined) {
      exchange.brokenOff(failure.kind === "rejection" ? failure.status : 400);
    } else if (body.complete) {
      if (this.#state === "body") this.#state = "busy";
      exchange.requestComplete();
    }
    return at;
  }

  #hold(buffer: Buffer, at: number): void {
    if (at === buffer.length) return;
    this.#held = at === 0 ? buffer : buffer.subarray(at);
    const isFull = this.#state === "head" ? this.#socket.writableNeedDrain : this.#held.length > maxHeldBytes;
    if (isFull) this.pauseReading();
  }

  #drained(): void {
    if (this.#state === "tunnel") this.#tunnel!.clientDrained();
    else if (this.#state === "head") {
      this.#awaitRequest();
      this.#proceed();
    } else this.#requests!.exchange.clientDrained();
  }

  #clientEnded(): void {
    switch (this.#state) {
      case "tunnel":
        this.#tunnel!.clientEnded();
        return;
      case "held":
      case "body":
      case "busy":
        // A client that closes while it is owed an answer has gone away, as far as a FIN can tell (as in nginx).
        this.destroy();
        return;
      case "head":
        this.#socket.end();
        return;
      case "lingering":
      case "closed":
        // Our side has ended already; with both ended, the socket closes by itself.
        return;
      default:
        this.#state satisfies never;
    }
  }

  /** Sends what is written, then FIN, and reads on for a while: a reset would take the answer from the client. */
  #linger(): void {
    this.#state = "lingering";
    this.#held = undefined;
    this.#socket.end();
    this.resumeReading();
    this.deadline(this.#context.settings.timeouts.lingerMs);
  }

  #closed(): void {
    this.#state = "closed";
    this.#held = undefined;
    this.#context.wheel.clear(this);
    this.#leave?.();
    this.#requests?.exchange.clientGone();
    this.#tunnel?.clientGone();
    for (const stream of this.streams) stream.destroy();
    this.streams.clear();
    this.#context.connectionClosed(this, this.#tunnel !== undefined);
  }
}

function ignore(): void {}
