import { randomBytes } from "node:crypto";
import type { ServerHttp2Stream } from "node:http2";
import { BodyReader, type BodySink } from "../../../http/body-reader.ts";
import { errorParts } from "../../../http/error-response.ts";
import { lineStride } from "../../../http/field-section.ts";
import { clientAddressOf, type ForwardingFacts } from "../../../http/forwarding.ts";
import { headerLines } from "../../../http/header-lines.ts";
import { http1Words } from "../../../http/http2-request.ts";
import { http2FieldsOf } from "../../../http/http2-response.ts";
import { ownParts } from "../../../http/own-response.ts";
import { RequestHead, RequestHeadParser } from "../../../http/request-head.ts";
import type { AnswerOptions } from "../../answer-options.ts";
import type { Expiring } from "../../deadline-wheel.ts";
import { RequestTrace } from "../../request-trace.ts";
import { type Response, respondedBy } from "../../responder.ts";
import type { UpstreamStream } from "../../transport/upstream.ts";
import type { Client, TunnelEntrance } from "../client.ts";
import type { FrontContext } from "../context.ts";
import { Exchange } from "../exchange.ts";
import { Http2Downstream } from "./http2-downstream.ts";

/**
 * - `idle`: no stream;
 * - `body`: a request is being answered and its body arrives;
 * - `busy`: a request is being answered, all of it is there;
 * - `tunnel`: bytes pass unread both ways;
 * - `over`: it was answered, or given up, and the stream is about to close.
 */
type State = "idle" | "body" | "busy" | "tunnel" | "over";

/** Codes of RFC 9113 §7. */
const noError = 0;
const protocolError = 1;
const internalError = 2;
const cancelled = 8;

/**
 * How a stream ended: `answered`, or by us; as a `tunnel`; or it was `given-up` before it was answered, by the client or for what
 * the client sent on it.
 */
export type StreamEnd = "answered" | "tunnel" | "given-up";

/** Whose streams these are. */
export interface Http2StreamOwner {
  readonly facts: ForwardingFacts;
  readonly remotePort: number;
  /** This one's stream has closed: it can have another one. */
  streamClosed(client: Http2Client, end: StreamEnd): void;
  /** This one's stream has become a tunnel. */
  tunnelOpened(): void;
}

/**
 * A client as those see it who answer requests, for one stream of a connection after the other: what was kept of the last one
 * (a way to an endpoint, header lines) serves the next.
 */
export class Http2Client implements Client, Expiring, BodySink {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly encrypted: boolean;
  readonly facts: ForwardingFacts;
  readonly streams: Set<UpstreamStream> = new Set();
  readonly downstream = new Http2Downstream();
  deadlineTick = 0;
  heldTick = 0;
  readonly #owner: Http2StreamOwner;
  readonly #context: FrontContext;
  readonly #parser: RequestHeadParser;
  readonly #body = new BodyReader();
  readonly #exchange: Exchange;
  #stream: ServerHttp2Stream | undefined;
  #state: State = "idle";
  #tunnel: TunnelEntrance | undefined;
  /** The body comes with the framing that we give it. */
  #chunked = false;
  #trailers = "";
  /** The client has spoilt it. */
  #spoilt = false;
  #readingPaused = false;

  constructor(owner: Http2StreamOwner, context: FrontContext) {
    const { facts, remotePort } = owner;
    this.#owner = owner;
    this.#context = context;
    this.facts = facts;
    this.remoteAddress = facts.peerAddress;
    this.remotePort = remotePort;
    this.encrypted = facts.encrypted;
    this.#parser = new RequestHeadParser(context.settings.limits);
    this.#exchange = new Exchange(this, context);
  }

  /** Has the request on `stream` answered. `fields` are name, value, name, value … */
  serve(stream: ServerHttp2Stream, fields: readonly string[], endStream: boolean): void {
    this.#stream = stream;
    this.#state = "busy";
    this.#spoilt = false;
    this.#readingPaused = false;
    this.#trailers = "";
    this.downstream.serve(stream);
    // The close that follows says all there is to do.
    stream.on("error", ignore);
    stream.on("close", this.#closed);
    stream.on("drain", this.#drained);
    const words = http1Words(fields, { endStream, webSocketKey });
    const bytes = words && Buffer.from(words.text, "latin1");
    const head = bytes && this.#parser.parse(bytes, 0, bytes.length);
    if (head instanceof RequestHead) {
      const { section } = head.fields;
      if (head.byteLength === bytes!.length && section.lines.length === words!.lines * lineStride) {
        this.#begin(head);
        return;
      }
    }
    this.#parser.reset();
    if (head === undefined || head instanceof RequestHead) this.#malformed();
    else this.answer(head.status);
  }

  trace(request: RequestHead): RequestTrace | undefined {
    const { observer, clock } = this.#context;
    if (observer.requestFinished === undefined) return undefined;
    return new RequestTrace({ observer, clock, client: this, written: () => this.downstream.bytesWritten }, request);
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
    this.#stream!.pause();
  }

  resumeReading(): void {
    if (!this.#readingPaused) return;
    this.#readingPaused = false;
    this.#stream!.resume();
  }

  exchangeDone(): void {
    this.#finish(this.#state === "busy");
  }

  answer(status: number, options: AnswerOptions = {}): void {
    if (this.#state === "over" || this.#state === "idle") return;
    this.#context.observer.answered?.(status);
    const { lines, body } = errorParts(status, { ...options, extra: this.#ownLines });
    this.downstream.answer([":status", `${status}`, ...http2FieldsOf(lines)], Buffer.from(body));
    this.#finish(this.#state === "busy");
  }

  openTunnel(tunnel: TunnelEntrance): void {
    this.#state = "tunnel";
    this.#tunnel = tunnel;
    this.#owner.tunnelOpened();
    this.#listen();
    this.resumeReading();
  }

  cut(): void {
    this.#reset(internalError);
  }

  destroy(): void {
    this.#reset(cancelled);
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
      case "idle":
        return;
      default:
        this.#state satisfies never;
    }
  }

  /** Gives up what is kept for a next stream. */
  close(): void {
    for (const stream of this.streams) stream.destroy();
    this.streams.clear();
  }

  bodyBytes(buffer: Buffer, start: number, end: number): void {
    this.#exchange.sendBody(start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end));
  }

  #begin(head: RequestHead): void {
    head.clientAddress = clientAddressOf(head, this.facts);
    const response = respondedBy(this.#context.responders, head, this.facts);
    if (response !== undefined) {
      this.#respond(head, response);
      return;
    }
    if (head.framing.kind !== "none") {
      this.#state = "body";
      this.#chunked = head.framing.kind === "chunked";
      this.#body.reset(head.framing, { limits: this.#context.settings.limits, emit: "framed", role: "request" });
    }
    this.#exchange.begin(head);
    // Until a tunnel is open, nobody takes bytes; they are the client's within its window.
    if ((this.#state as State) === "body") this.#listen();
  }

  #respond(request: RequestHead, response: Response): void {
    const trace = this.trace(request);
    const head = request.method === "HEAD";
    if (response.kind === "refusal") this.answer(response.status, { head });
    else {
      this.#context.observer.answered?.(response.status);
      const { lines, body } = ownParts(response, { head, extra: this.#ownLines });
      this.downstream.answer([":status", `${response.status}`, ...http2FieldsOf(lines)], body);
      this.#finish(true);
    }
    trace?.responded(response.status, "front");
    trace?.ended("complete");
  }

  /** Of answers of our own. */
  get #ownLines(): string {
    return this.#context.responseRules?.ownLines(this.facts) ?? "";
  }

  #listen(): void {
    const stream = this.#stream!;
    stream.on("data", this.#received);
    stream.on("end", this.#ended);
    stream.on("trailers", this.#trailersReceived);
  }

  readonly #received = (chunk: Buffer): void => {
    if (this.#state === "tunnel") this.#tunnel!.send(chunk);
    else if (this.#state === "body") {
      if (this.#chunked) this.#read(chunkOf(chunk));
      else this.#read(chunk);
    }
  };

  readonly #trailersReceived = (_named: unknown, _flags: number, fields: readonly string[] = []): void => {
    // One with a line break in it is read as what it then is, and refused as such.
    this.#trailers = headerLines(fields);
  };

  readonly #ended = (): void => {
    if (this.#state === "tunnel") this.#tunnel!.clientEnded();
    else if (this.#state === "body") {
      if (this.#chunked) this.#read(Buffer.from(`0\r\n${this.#trailers}\r\n`, "latin1"));
      // Less than was declared, or trailers that are none.
      if (this.#state === "body") this.#exchange.brokenOff(400);
    }
  };

  #read(bytes: Buffer): void {
    const at = this.#body.read(bytes, 0, bytes.length, this);
    const { failure } = this.#body;
    if (failure !== undefined) this.#exchange.brokenOff(failure.kind === "rejection" ? failure.status : 400);
    else if (this.#body.complete) {
      if (at < bytes.length) this.#exchange.brokenOff(400);
      else {
        if (this.#state === "body") this.#state = "busy";
        this.#exchange.requestComplete();
      }
    }
  }

  readonly #drained = (): void => {
    if (this.#state === "tunnel") this.#tunnel!.clientDrained();
    else this.#exchange.clientDrained();
  };

  readonly #closed = (): void => {
    if (this.#state === "idle") return;
    const tunnel = this.#tunnel;
    const unanswered = this.#state !== "over";
    this.#state = "idle";
    this.#tunnel = undefined;
    this.#stream = undefined;
    this.#context.wheel.clear(this);
    if (tunnel !== undefined) tunnel.clientGone();
    else if (unanswered) this.#exchange.clientGone();
    this.#owner.streamClosed(
      this,
      tunnel !== undefined ? "tunnel" : unanswered || this.#spoilt ? "given-up" : "answered",
    );
  };

  /** Malformed as HTTP/2: no answer is owed (RFC 9113 §8.1.1). */
  #malformed(): void {
    this.#spoilt = true;
    this.#context.observer.answered?.(400);
    this.#reset(protocolError);
  }

  /** The response is complete. Of a request that is not, the rest is not wanted (RFC 9113 §8.1). */
  #finish(requestComplete: boolean): void {
    this.#state = "over";
    // A client that does not read its response has as long as one that reads slowly.
    this.deadline(this.#context.settings.timeouts.writeIdleMs);
    if (requestComplete) return;
    const stream = this.#stream!;
    // A stream that is told to close before its response is out cannot be reset any more when the deadline has passed.
    if (stream.writableFinished) stream.close(noError);
    else stream.once("finish", () => stream.close(noError));
  }

  #reset(code: number): void {
    this.#state = "over";
    this.#stream?.close(code);
  }
}

/** For apps that tell WebSockets apart by it. */
function webSocketKey(): string {
  return randomBytes(16).toString("base64");
}

/** In the chunked coding. */
function chunkOf(bytes: Buffer): Buffer {
  const size = bytes.length.toString(16);
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + 4);
  chunk.write(`${size}\r\n`, "latin1");
  bytes.copy(chunk, size.length + 2);
  chunk.write("\r\n", size.length + 2 + bytes.length, "latin1");
  return chunk;
}

function ignore(): void {}
