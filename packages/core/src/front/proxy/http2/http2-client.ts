import { type AnswerReason, refusalOf } from "../../../http/answer-reason.ts";
import { BodyReader, type BodySink } from "../../../http/body-reader.ts";
import { errorParts } from "../../../http/error-response.ts";
import { clientAddressOf, type ForwardingFacts, identify } from "../../../http/forwarding.ts";
import { ownParts } from "../../../http/own-response.ts";
import type { ProxiedClient } from "../../../http/proxy-header.ts";
import { RequestHead } from "../../../http/request-head.ts";
import { shownEncrypted } from "../../../http/response-rules.ts";
import type { HeaderList } from "../../../http2/hpack/decoder.ts";
import { type ErrorCode, errorCode } from "../../../http2/protocol.ts";
import type { RequestReader } from "../../../http2/request-reader.ts";
import { trailerLines } from "../../../http2/request-text.ts";
import type { Http2Stream, StreamUser } from "../../../http2/stream.ts";
import type { NegotiatedTls } from "../../../model/negotiated-tls.ts";
import type { AnswerOptions } from "../../answer-options.ts";
import type { Expiring } from "../../deadline-wheel.ts";
import { RequestTrace } from "../../request-trace.ts";
import type { Response } from "../../responder.ts";
import type { FrontSettings } from "../../settings.ts";
import type { UpstreamStream } from "../../transport/upstream.ts";
import type { Client, TunnelEntrance } from "../client.ts";
import type { FrontContext } from "../context.ts";
import { destinationOf } from "../destination.ts";
import { Exchange } from "../exchange.ts";
import type { PreparedAnswer } from "../prepared-answer.ts";
import type { Found } from "../router.ts";
import { chunkOf } from "./chunk.ts";
import { Http2Downstream } from "./http2-downstream.ts";

/**
 * - `idle`: no stream;
 * - `held`: a request is held back;
 * - `body`: a request is being answered and its body arrives;
 * - `busy`: a request is being answered, all of it is there;
 * - `tunnel`: bytes pass unread both ways;
 * - `over`: it was answered, or given up, and the stream is about to close.
 */
type State = "idle" | "held" | "body" | "busy" | "tunnel" | "over";

/**
 * How a stream ended: `answered`, or by us; as a `tunnel`; or it was `given-up` before it was answered, by the client or for what
 * the client sent on it.
 */
export type StreamEnd = "answered" | "tunnel" | "given-up";

/** Whose streams these are. */
export interface Http2StreamOwner {
  readonly facts: ForwardingFacts;
  readonly remotePort: number;
  readonly reader: RequestReader;
  origin(): ProxiedClient;
  /** This one's stream has closed: it can have another one. */
  streamClosed(client: Http2Client, end: StreamEnd): void;
  /** This one's stream has become a tunnel. */
  tunnelOpened(): void;
}

/**
 * A client as those see it who answer requests, for one stream of a connection after the other: what was kept of the last one
 * (a way to an endpoint, header lines) serves the next.
 */
export class Http2Client implements Client, Expiring, BodySink, StreamUser {
  readonly http2 = true;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly encrypted: boolean;
  readonly tls: NegotiatedTls | undefined;
  readonly listener: number;
  readonly facts: ForwardingFacts;
  readonly streams: Set<UpstreamStream> = new Set();
  readonly downstream = new Http2Downstream();
  deadlineTick = 0;
  heldTick = 0;
  readonly #owner: Http2StreamOwner;
  readonly #context: FrontContext;
  readonly #body = new BodyReader();
  readonly #exchange: Exchange;
  #stream: Http2Stream | undefined;
  #state: State = "idle";
  #tunnel: TunnelEntrance | undefined;
  readonly #settings: FrontSettings;
  /** The body comes with the framing that we give it. */
  #chunked = false;
  /** All of the request is there. */
  #complete = false;
  /** The client has spoilt it. */
  #spoilt = false;
  #readingPaused = false;
  /** Made with the first request that somebody is told of. */
  #trace: RequestTrace | undefined;
  /** Of a request that is held back: gives it up. */
  #leave: (() => void) | undefined;

  constructor(owner: Http2StreamOwner, context: FrontContext) {
    const { facts, remotePort } = owner;
    this.#owner = owner;
    this.#context = context;
    this.#settings = context.settings;
    this.facts = facts;
    this.remoteAddress = facts.peerAddress;
    this.remotePort = remotePort;
    this.encrypted = facts.encrypted;
    this.tls = facts.tls;
    this.listener = facts.listener ?? 0;
    this.#exchange = new Exchange(this, context);
  }

  origin(): ProxiedClient {
    return this.#owner.origin();
  }

  /** What it was made by is in force. */
  get current(): boolean {
    return this.#settings === this.#context.settings;
  }

  /** Has the request on `stream` answered. */
  serve(stream: Http2Stream, list: HeaderList): void {
    this.#stream = stream;
    this.#state = "busy";
    this.#spoilt = false;
    this.#complete = stream.inputEnded;
    // As streams begin: until somebody takes them, bytes are the client's within its window.
    this.#readingPaused = true;
    this.downstream.serve(stream);
    if (list.tooLarge) {
      // A few octets can say so much; who goes on with it has to be stopped.
      this.#spoilt = true;
      this.#refuseHead(431, "head-too-large");
      return;
    }
    const head = this.#owner.reader.read(list, stream.inputEnded);
    if (head instanceof RequestHead) this.#begin(head);
    else if (head === "malformed") {
      this.#context.observer.headRefused?.(this, 400, "malformed");
      this.#malformed();
    } else this.#refuseHead(head.status, head.fault);
  }

  /** What came is no request. */
  #refuseHead(status: number, reason: AnswerReason): void {
    this.#context.observer.headRefused?.(this, status, reason);
    this.answer(status);
  }

  trace(request: RequestHead, now?: number): RequestTrace | undefined {
    const { observer, clock } = this.#context;
    if (observer.requestFinished === undefined) return undefined;
    if (this.#trace === undefined) {
      const { downstream } = this;
      this.#trace = new RequestTrace({ observer, clock, client: this, downstream }, request, now);
    } else this.#trace.begin(request, now);
    return this.#trace;
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
    this.#stream?.pause();
  }

  resumeReading(): void {
    if (!this.#readingPaused) return;
    this.#readingPaused = false;
    // What comes for a tunnel that is not open yet has nobody who takes it.
    if (this.#state !== "busy") this.#stream?.resume();
  }

  exchangeDone(): void {
    this.#finish();
  }

  answer(status: number, options: AnswerOptions = {}): void {
    if (this.#state === "over" || this.#state === "idle") return;
    this.#context.observer.answered?.(status);
    const { lines, body } = errorParts(status, { ...options, extra: this.#ownLines + (options.lines ?? "") });
    this.downstream.answer(status, lines, Buffer.from(body));
    this.#finish();
  }

  openTunnel(tunnel: TunnelEntrance): void {
    this.#state = "tunnel";
    this.#tunnel = tunnel;
    this.#owner.tunnelOpened();
    this.#readingPaused = false;
    this.#stream!.resume();
  }

  cut(): void {
    this.#reset(errorCode.internalError);
  }

  destroy(): void {
    this.#reset(errorCode.cancel);
  }

  expired(): void {
    switch (this.#state) {
      case "body":
      case "busy":
        this.#exchange.expired(this.#state === "body");
        return;
      case "tunnel":
      case "over":
        this.destroy();
        return;
      case "held":
      case "idle":
        return;
      default:
        this.#state satisfies never;
    }
  }

  /** Ends its stream, if that is for such an address. */
  cutOff(isDenied: (address: string) => boolean): void {
    const address = this.#tunnel?.clientAddress ?? this.#exchange.clientAddress;
    if (address !== undefined && isDenied(address)) this.destroy();
  }

  /** Gives up what is kept for a next stream. */
  close(): void {
    this.#context.wheel.clear(this);
    for (const stream of this.streams) stream.destroy();
    this.streams.clear();
  }

  bodyBytes(buffer: Buffer, start: number, end: number): void {
    this.#exchange.sendBody(start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end));
  }

  #begin(head: RequestHead): void {
    head.clientAddress = clientAddressOf(head, this.facts);
    identify(head, this.facts);
    const found = destinationOf(head, this.facts, this.#context);
    if (found.kind !== "held") {
      this.#follow(head, found);
      return;
    }
    this.#state = "held";
    const trace = this.trace(head);
    const leave = found.wait((to) => {
      this.#leave = undefined;
      this.#state = "busy";
      this.#follow(head, to);
    });
    this.#leave = () => {
      leave();
      trace?.ended("client-left");
    };
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
    if (head.framing.kind !== "none") {
      this.#state = "body";
      this.#chunked = head.framing.kind === "chunked";
      this.#body.reset(head.framing, { limits: found.limits, emit: "framed", role: "request" });
    }
    this.#exchange.begin(head, found);
  }

  #respond(request: RequestHead, response: Response): void {
    const trace = this.trace(request);
    const head = request.method === "HEAD";
    if (response.kind === "refusal") this.answer(response.status, { head, lines: request.responseLines });
    else {
      this.#context.observer.answered?.(response.status);
      const { lines, body } = ownParts(response, { head, extra: this.#ownLines + request.responseLines });
      this.downstream.answer(response.status, lines, body);
      this.#finish();
    }
    trace?.responded(response.status, "front", this.#context.clock.now(), response.reason);
    trace?.ended("complete");
  }

  /** Answers with what is in memory. */
  #respondPrepared(request: RequestHead, answer: PreparedAnswer): void {
    const trace = this.trace(request);
    trace?.attempted(answer.endpoint, trace.startedAt);
    const lines = answer.lines(shownEncrypted(request, this.facts)) + request.responseLines;
    this.downstream.answer(answer.status, lines, answer.body ?? noBytes);
    this.#finish();
    trace?.responded(answer.status, "app", trace.startedAt);
    trace?.ended("complete");
  }

  /** Of answers of our own. */
  get #ownLines(): string {
    return this.#context.responseRules?.ownLines(this.facts) ?? "";
  }

  streamData(buffer: Buffer, start: number, end: number): void {
    const chunk = start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end);
    switch (this.#state) {
      case "tunnel":
        this.#tunnel!.send(chunk);
        return;
      case "body":
        this.#read(this.#chunked ? chunkOf(chunk) : chunk);
        return;
      case "busy":
        // More than was declared.
        this.#spoil();
        return;
      case "over":
      case "held":
      case "idle":
        return;
      default:
        this.#state satisfies never;
    }
  }

  streamEnded(trailers: HeaderList | undefined): void {
    if (this.#state === "tunnel") {
      this.#tunnel!.clientEnded();
      return;
    }
    if (this.#state !== "body") return;
    const lines = trailers === undefined ? "" : trailerLines(trailers.fields);
    if (lines === undefined) this.#spoil();
    else if (this.#chunked) this.#read(Buffer.from(`0\r\n${lines}\r\n`, "latin1"));
    // Less than was declared, or trailers that are none.
    if (this.#state === "body") this.#spoil();
  }

  #read(bytes: Buffer): void {
    const at = this.#body.read(bytes, 0, bytes.length, this);
    const { failure } = this.#body;
    if (failure !== undefined) this.#exchange.brokenOff(...refusalOf(failure));
    else if (this.#body.complete) {
      // More than was declared, or a line break in a trailer.
      if (at < bytes.length) this.#spoil();
      else {
        this.#complete = true;
        if (this.#state === "body") this.#state = "busy";
        this.#exchange.requestComplete();
      }
    }
  }

  streamDrained(): void {
    if (this.#state === "tunnel") this.#tunnel!.clientDrained();
    else if (this.#state === "body" || this.#state === "busy") this.#exchange.clientDrained();
  }

  streamClosed(): void {
    if (this.#state === "idle") return;
    const tunnel = this.#tunnel;
    const unanswered = this.#state !== "over";
    const leave = this.#leave;
    this.#leave = undefined;
    this.#state = "idle";
    this.#tunnel = undefined;
    this.#stream = undefined;
    this.deadline(Number.POSITIVE_INFINITY);
    if (tunnel !== undefined) tunnel.clientGone();
    else if (leave !== undefined) leave();
    else if (unanswered) this.#exchange.clientGone();
    this.#owner.streamClosed(
      this,
      tunnel !== undefined ? "tunnel" : unanswered || this.#spoilt ? "given-up" : "answered",
    );
  }

  /** Malformed as HTTP/2: no answer is owed (RFC 9113 §8.1.1). */
  #malformed(): void {
    this.#spoilt = true;
    this.#context.observer.answered?.(400);
    this.#reset(errorCode.protocolError);
  }

  /** What follows the head is malformed: the endpoint sees it broken off. */
  #spoil(): void {
    this.#exchange.clientGone();
    this.#malformed();
  }

  /** The response is complete. Of a request that is not, the rest is not wanted (RFC 9113 §8.1). */
  #finish(): void {
    this.#state = "over";
    // A client that does not read its response has as long as one that reads slowly.
    this.deadline(this.#context.settings.timeouts.writeIdleMs);
    if (!this.#complete) this.#stream!.refuseRest();
  }

  #reset(code: ErrorCode): void {
    this.#state = "over";
    this.#stream?.reset(code);
  }
}

const noBytes = Buffer.alloc(0);
