import type { Socket } from "node:net";
import type { AnswerReason } from "../../http/answer-reason.ts";
import { errorResponse } from "../../http/error-response.ts";
import type { ForwardingFacts } from "../../http/forwarding.ts";
import { ownResponse } from "../../http/own-response.ts";
import type { ProxiedClient } from "../../http/proxy-header.ts";
import type { RequestHead } from "../../http/request-head.ts";
import { shownEncrypted } from "../../http/response-rules.ts";
import type { NegotiatedTls } from "../../model/negotiated-tls.ts";
import { reset } from "../../tls/reset.ts";
import type { AnswerOptions } from "../answer-options.ts";
import { clientOrigin } from "../client-origin.ts";
import type { PublicConnection } from "../connection-table.ts";
import type { Expiring } from "../deadline-wheel.ts";
import { RequestTrace } from "../request-trace.ts";
import type { Response } from "../responder.ts";
import type { UpstreamStream } from "../transport/upstream.ts";
import type { TunnelEntrance } from "./client.ts";
import type { FrontContext } from "./context.ts";
import { Http1Downstream } from "./http1-downstream.ts";
import { Pipeline, type PipelineClient } from "./pipeline.ts";
import type { PreparedAnswer } from "./prepared-answer.ts";

/**
 * - `requests`: they are read and answered;
 * - `tunnel`: bytes pass unread both ways;
 * - `lingering`: the last answer was given, what arrives is dropped;
 * - `closed`.
 */
type State = "requests" | "tunnel" | "lingering" | "closed";

/** Bytes dropped after a final answer before the client is cut off. */
const maxLingerBytes = 1_048_576;

/** One client's connection of HTTP/1.x: its requests, the tunnel that it may become, and its end. */
export class ClientConnection implements PipelineClient, PublicConnection, Expiring {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly encrypted: boolean;
  readonly tls: NegotiatedTls | undefined;
  readonly listener: number;
  readonly streams: Set<UpstreamStream> = new Set();
  readonly facts: ForwardingFacts;
  readonly downstream: Http1Downstream;
  deadlineTick = 0;
  heldTick = 0;
  readonly #socket: Socket;
  readonly #context: FrontContext;
  /** What it takes to read requests and have them answered; a tunnel needs none of it. */
  #requests: Pipeline | undefined;
  #tunnel: TunnelEntrance | undefined;
  /** Made with the first request that somebody is told of. */
  #trace: RequestTrace | undefined;
  #state: State = "requests";
  #readingPaused = false;
  #lingered = 0;

  constructor(socket: Socket, facts: ForwardingFacts, context: FrontContext) {
    this.#socket = socket;
    this.downstream = new Http1Downstream(socket);
    this.facts = facts;
    this.remoteAddress = facts.peerAddress;
    this.remotePort = facts.peerPort ?? socket.remotePort ?? 0;
    this.encrypted = facts.encrypted;
    this.tls = facts.tls;
    this.listener = facts.listener ?? 0;
    this.#context = context;
    this.#requests = new Pipeline(this, context);
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("drain", () => this.#drained());
    socket.on("end", () => this.#clientEnded());
    // The close that follows says all there is to do.
    socket.on("error", ignore);
    socket.on("close", () => this.#closed());
    this.#requests.awaitRequest();
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

  origin(): ProxiedClient {
    return clientOrigin(this.#socket, this.facts);
  }

  deadline(ms: number): void {
    this.#context.wheel.set(this, ms);
  }

  get full(): boolean {
    return this.#socket.writableNeedDrain;
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
    const requests = this.#requests!;
    if (clientIsDone && !requests.holdsBytes && this.#socket.writableLength === 0) {
      // All is with the kernel and nothing more comes: no need to wait for the client's FIN.
      for (const stream of this.streams) stream.destroy();
      this.destroy();
    } else if (keepAlive) requests.next();
    else this.#linger();
  }

  answer(status: number, options?: AnswerOptions): void {
    if (this.#state === "closed" || this.#state === "lingering") return;
    this.#context.observer.answered?.(status);
    this.downstream.write(errorResponse(status, { ...options, extra: this.#ownLines + (options?.lines ?? "") }));
    this.#linger();
  }

  refuseHead(status: number, reason: AnswerReason): void {
    this.#context.observer.headRefused?.(this, status, reason);
    this.answer(status);
  }

  openTunnel(tunnel: TunnelEntrance): void {
    this.#state = "tunnel";
    this.#tunnel = tunnel;
    this.#requests!.end();
    this.#requests = undefined;
    this.#trace = undefined;
    this.#context.tunnelOpened();
    this.resumeReading();
  }

  cut(): void {
    reset(this.#socket);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  cutOff(isDenied: (address: string) => boolean): void {
    const address = this.#tunnel?.clientAddress ?? this.#requests?.clientAddress;
    if (address !== undefined && isDenied(address)) this.destroy();
  }

  drain(): void {
    const requests = this.#requests;
    const idle = this.#state === "requests" && requests!.idle && !requests!.holdsBytes;
    if (idle && !this.#readingPaused && !this.full) requests!.awaitRequest();
  }

  expired(): void {
    switch (this.#state) {
      case "requests":
        this.#requests!.expired();
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

  respond(request: RequestHead, answer: Response | PreparedAnswer): void {
    if (answer.kind === "prepared") this.#respondPrepared(request, answer);
    else this.#respondOurselves(request, answer);
  }

  #received(chunk: Buffer): void {
    switch (this.#state) {
      case "requests":
        this.#requests!.received(chunk);
        return;
      case "tunnel":
        this.#tunnel!.send(chunk);
        return;
      case "lingering":
        this.#lingered += chunk.length;
        if (this.#lingered > maxLingerBytes) this.destroy();
        return;
      case "closed":
        return;
      default:
        this.#state satisfies never;
    }
  }

  /** Answers in place of the app. A body that was not read is not waited for: the connection ends. */
  #respondOurselves(request: RequestHead, response: Response): void {
    const { observer, draining, clock } = this.#context;
    const trace = this.trace(request);
    const head = request.method === "HEAD";
    trace?.responded(response.status, "front", clock.now(), response.reason);
    if (response.kind === "refusal") {
      this.answer(response.status, { head, lines: request.responseLines });
      trace?.ended("complete");
      return;
    }
    const bodyless = request.framing.kind === "none";
    const keepAlive = request.persistent && bodyless && !draining;
    observer.answered?.(response.status);
    this.downstream.write(ownResponse(response, { keepAlive, head, extra: this.#ownLines + request.responseLines }));
    trace?.ended("complete");
    this.exchangeDone(keepAlive, !request.persistent && bodyless);
  }

  /** Answers with what is in memory. */
  #respondPrepared(request: RequestHead, answer: PreparedAnswer): void {
    const trace = this.trace(request);
    const bodyless = request.framing.kind === "none";
    const keepAlive = request.persistent && bodyless && !this.#context.draining;
    trace?.attempted(answer.endpoint, trace.startedAt);
    const { minorVersion, responseLines: own } = request;
    const encrypted = shownEncrypted(request, this.facts);
    const [first, second] = answer.http1({ minorVersion, keepAlive, encrypted, own });
    if (second === undefined) this.downstream.write(first!);
    else {
      this.#socket.cork();
      this.downstream.write(first!);
      this.downstream.write(second);
      this.#socket.uncork();
    }
    trace?.responded(answer.status, "app", trace.startedAt);
    trace?.ended("complete");
    this.exchangeDone(keepAlive, !request.persistent && bodyless);
  }

  /** Of answers of our own. */
  get #ownLines(): string {
    return this.#context.responseRules?.ownLines(this.facts) ?? "";
  }

  #drained(): void {
    if (this.#state === "tunnel") this.#tunnel!.clientDrained();
    else if (this.#state === "requests") this.#requests!.clientDrained();
  }

  #clientEnded(): void {
    switch (this.#state) {
      case "tunnel":
        this.#tunnel!.clientEnded();
        return;
      case "requests":
        // A client that closes while it is owed an answer has gone away, as far as a FIN can tell (as in nginx).
        if (this.#requests!.idle) this.#socket.end();
        else this.destroy();
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
    this.#requests!.end();
    this.#socket.end();
    this.resumeReading();
    this.deadline(this.#context.settings.timeouts.lingerMs);
  }

  #closed(): void {
    this.#state = "closed";
    this.#context.wheel.clear(this);
    this.#requests?.clientGone();
    this.#tunnel?.clientGone();
    for (const stream of this.streams) stream.destroy();
    this.streams.clear();
    this.#context.connectionClosed(this, this.#tunnel !== undefined);
  }
}

function ignore(): void {}
