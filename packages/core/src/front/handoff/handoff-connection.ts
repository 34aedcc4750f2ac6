import type { Socket } from "node:net";
import type { AnswerReason } from "../../http/answer-reason.ts";
import { errorResponse } from "../../http/error-response.ts";
import { clientAddressOf, type ForwardingFacts, identify } from "../../http/forwarding.ts";
import { ownResponse } from "../../http/own-response.ts";
import { RequestHead, RequestHeadParser } from "../../http/request-head.ts";
import { connectionOrder } from "../../ipc/handoff-messages.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import { idleGraceMs } from "../../model/idle-grace.ts";
import type { NegotiatedTls } from "../../model/negotiated-tls.ts";
import type { AnswerOptions } from "../answer-options.ts";
import type { Expiring } from "../deadline-wheel.ts";
import { RequestTrace } from "../request-trace.ts";
import { respondedBy } from "../responder.ts";
import { originOf } from "./connection-origin.ts";
import type { HandoffClient, HandoffContext, HandoffRefusal } from "./handoff-context.ts";
import { startReading, stopReading } from "./handoff-socket.ts";
import { Journey, type JourneyOwner } from "./journey.ts";

/**
 * - `head`: a request head is expected or arriving;
 * - `journey`: on the way to a worker, or waiting for one; nothing is read;
 * - `lingering`: we answered, what arrives is dropped;
 * - `closed`: or gone.
 */
type State = "head" | "journey" | "lingering" | "closed";

/** Bytes dropped after an answer of ours before the client is cut off. */
const maxLingerBytes = 1_048_576;

/**
 * A client's connection from when it was accepted until a worker has it: reads the head of one request, finds out where
 * it belongs, and sends the socket there with every byte that was read. Afterwards nothing of it is left here.
 */
export class HandoffConnection implements HandoffClient, JourneyOwner, Expiring {
  readonly remoteAddress: string;
  readonly encrypted: boolean;
  readonly tls: NegotiatedTls | undefined;
  readonly listener: number;
  readonly facts: ForwardingFacts;
  readonly socket: Socket;
  deadlineTick = 0;
  heldTick = 0;
  readonly #context: HandoffContext;
  /** Only for a head that comes in pieces. */
  #parser: RequestHeadParser | undefined;
  #state: State = "head";
  #readingStopped = false;
  /** All that was read. */
  #held: Buffer | undefined;
  #request: RequestHead | undefined;
  #journey: Journey | undefined;
  #lingered = 0;
  /** Only where somebody is told of requests. */
  #trace: RequestTrace | undefined;

  constructor(socket: Socket, facts: ForwardingFacts, context: HandoffContext) {
    this.socket = socket;
    this.facts = facts;
    this.remoteAddress = facts.peerAddress;
    this.encrypted = facts.encrypted;
    this.tls = facts.tls;
    this.listener = facts.listener ?? 0;
    this.#context = context;
    (socket as OwnedSocket)[owner] = this;
    socket.on("data", received);
    socket.on("end", clientEnded);
    // The close that follows says all there is to do.
    socket.on("error", ignore);
    socket.on("close", closed);
    this.#limitIdleness();
  }

  /**
   * Reads the next request here and decides by it, as for a new connection. To be called at once for one that came back
   * from a worker, which is not being read.
   */
  readHere(): void {
    this.#readingStopped = true;
    this.#resumeReading();
  }

  /** Answers for ourselves and ends the connection. */
  answer(status: number, reason: AnswerReason, options?: AnswerOptions): void {
    if (this.#state === "closed" || this.#state === "lingering") return;
    const extra = this.#ownLines + (options?.lines ?? "");
    this.#answerWith(status, reason, errorResponse(status, { ...options, extra }));
  }

  #answerWith(status: number, reason: AnswerReason, response: Buffer): void {
    this.#context.observer.answered?.(status);
    this.#state = "lingering";
    this.#held = undefined;
    this.#request = undefined;
    this.#resumeReading();
    this.socket.end(response);
    this.#trace?.responded(status, "front", this.#context.clock.now(), reason);
    this.#trace?.ended("complete");
    this.deadline(this.#context.settings.timeouts.lingerMs);
  }

  drain(): void {
    if (this.#state === "head" && this.#held === undefined) this.#limitIdleness();
  }

  destroy(): void {
    this.socket.destroy();
  }

  expired(): void {
    switch (this.#state) {
      case "head":
        if (this.#held === undefined) this.destroy();
        else this.#refuseHead(408, "request-timeout");
        return;
      case "journey":
        this.#journey!.expired();
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

  // As the owner of a journey.

  order(): object {
    return connectionOrder(this.#held!, this.#request!.byteLength, originOf(this.facts));
  }

  deadline(ms: number): void {
    this.#context.wheel.set(this, ms);
  }

  attempted(endpoint: Endpoint): void {
    this.#trace?.attempted(endpoint, this.#context.clock.now());
  }

  refused({ status, reason, retryAfterSeconds }: Omit<HandoffRefusal, "kind">): void {
    const options = this.#answerOptions();
    this.answer(status, reason, retryAfterSeconds === undefined ? options : { ...options, retryAfterSeconds });
  }

  arrived(): void {
    this.#state = "closed";
    this.#trace = undefined;
    // Ends our handle only: the connection goes on in the worker's.
    this.socket.destroy();
  }

  received(chunk: Buffer): void {
    if (this.#state === "lingering") {
      this.#lingered += chunk.length;
      if (this.#lingered > maxLingerBytes) this.destroy();
      return;
    }
    const { settings, parser: shared } = this.#context;
    const parser = this.#parser ?? shared;
    const buffer = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    const head = parser.parse(buffer, 0, buffer.length);
    if (head === undefined) {
      if (this.#parser === undefined) {
        // From here on it is read by a parser of its own, which begins with what there is.
        shared.reset();
        this.#parser = new RequestHeadParser(settings.limits);
        this.#parser.parse(buffer, 0, buffer.length);
        this.deadline(settings.timeouts.headersMs);
      }
      this.#held = buffer;
      return;
    }
    if (!(head instanceof RequestHead)) {
      this.#refuseHead(head.status, head.fault);
      return;
    }
    this.#parser = undefined;
    this.#held = buffer;
    this.#begin(head, head.byteLength < buffer.length);
  }

  /** What came is no request, or not all of one in time. */
  #refuseHead(status: number, reason: AnswerReason): void {
    this.#context.observer.headRefused?.(this, status, reason);
    this.answer(status, reason);
  }

  #begin(request: RequestHead, moreBytes: boolean): void {
    request.clientAddress = clientAddressOf(request, this.facts);
    identify(request, this.facts);
    // What the relay answers to such a request, too.
    if (request.upgrade !== undefined && moreBytes) {
      this.#refuseHead(400, "bytes-behind-upgrade");
      return;
    }
    this.#request = request;
    const { observer, clock } = this.#context;
    if (observer.requestFinished !== undefined) {
      this.#trace = new RequestTrace({ observer, clock, client: this, downstream: this.socket }, request);
    }
    const response = respondedBy(this.#context.responders, request, this.facts);
    if (response === undefined) this.#setOut(request);
    else if (response.kind === "refusal") this.answer(response.status, response.reason, this.#answerOptions());
    else {
      const how = { keepAlive: false, head: request.method === "HEAD", extra: this.#ownLines + request.responseLines };
      this.#answerWith(response.status, response.reason, ownResponse(response, how));
    }
  }

  #setOut(request: RequestHead): void {
    this.#stopReading();
    this.#state = "journey";
    this.#journey = new Journey(this, request, this.#context);
    this.#journey.begin();
  }

  /** While the front drains, a request may still come for a short time. */
  #limitIdleness(): void {
    const { draining, settings } = this.#context;
    const { keepAliveMs } = settings.timeouts;
    this.deadline(draining ? Math.min(keepAliveMs, idleGraceMs) : keepAliveMs);
  }

  /** Of answers of our own. */
  get #ownLines(): string {
    return this.#context.responseRules?.ownLines(this.facts) ?? "";
  }

  #answerOptions(): AnswerOptions {
    return { head: this.#request?.method === "HEAD", lines: this.#request?.responseLines ?? "" };
  }

  #stopReading(): void {
    if (this.#readingStopped) return;
    this.#readingStopped = true;
    stopReading(this.socket);
  }

  #resumeReading(): void {
    if (!this.#readingStopped) return;
    this.#readingStopped = false;
    startReading(this.socket);
  }

  clientEnded(): void {
    // With a head that is not complete there is nothing to be answered; after an answer our side has ended already.
    if (this.#state === "head") this.socket.end();
  }

  closed(): void {
    this.#state = "closed";
    this.#held = undefined;
    this.#request = undefined;
    this.#context.wheel.clear(this);
    this.#journey?.end();
    this.#trace?.ended("client-left");
    this.#context.connectionClosed(this);
  }
}

// One function for all connections where a closure for each would do: a connection lives for a millisecond here.

const owner = Symbol("lb.connection");
type OwnedSocket = Socket & { [owner]?: HandoffConnection };

function ignore(): void {}

function received(this: OwnedSocket, chunk: Buffer): void {
  this[owner]!.received(chunk);
}

function clientEnded(this: OwnedSocket): void {
  this[owner]!.clientEnded();
}

function closed(this: OwnedSocket): void {
  this[owner]!.closed();
}
