import { type AnswerReason, refusalOf } from "../../http/answer-reason.ts";
import { BodyReader, type BodySink } from "../../http/body-reader.ts";
import { clientAddressOf, identify } from "../../http/forwarding.ts";
import { RequestHead, RequestHeadParser } from "../../http/request-head.ts";
import { idleGraceMs } from "../../model/idle-grace.ts";
import type { Response } from "../responder.ts";
import type { FrontSettings } from "../settings.ts";
import type { Client } from "./client.ts";
import type { FrontContext } from "./context.ts";
import { destinationOf } from "./destination.ts";
import { Exchange } from "./exchange.ts";
import type { Found } from "./router.ts";
import type { Way } from "./way.ts";

/**
 * - `head`: a request head is expected or arriving;
 * - `held`: a request is held back, what arrives belongs to it or to the next one;
 * - `body`: a request is being answered and its body arrives;
 * - `busy`: a request is being answered, what arrives belongs to the next one;
 * - `over`: no further request is read.
 */
type State = "head" | "held" | "body" | "busy" | "over";

/** The connection that requests come on. */
export interface PipelineClient extends Client {
  /** What it was given is not with the system yet: a client that does not read its responses gets no further ones made. */
  readonly full: boolean;
  /** Answers with what is at hand, and says `exchangeDone`, or that the answer is the last. */
  respond(request: RequestHead, answer: Exclude<Found, Way>): void;
  /** What came is no request, or not all of one in time: answers, and ends the connection. */
  refuseHead(status: number, reason: AnswerReason): void;
}

const badRequest: Response = { kind: "refusal", status: 400, reason: "bytes-behind-upgrade" };

/** Bytes of a next request taken in while one is being answered; more wait in the kernel. */
const maxHeldBytes = 16_384;

/** Reads requests of HTTP/1.x out of what a client sends, one after the other, and has an exchange answer each. */
export class Pipeline implements BodySink {
  readonly #client: PipelineClient;
  readonly #context: FrontContext;
  readonly #body = new BodyReader();
  #settings: FrontSettings;
  #parser: RequestHeadParser;
  #exchange: Exchange;
  #state: State = "head";
  #held: Buffer | undefined;
  #advancing = false;
  /** Bytes of a head have arrived whose end has not. */
  #headBegun = false;
  /** Of a request that is held back: gives it up. */
  #leave: (() => void) | undefined;

  constructor(client: PipelineClient, context: FrontContext) {
    this.#client = client;
    this.#context = context;
    this.#settings = context.settings;
    this.#parser = new RequestHeadParser(context.headLimits);
    this.#exchange = new Exchange(client, context);
  }

  /** No request is being answered. */
  get idle(): boolean {
    return this.#state === "head";
  }

  /** Bytes wait here for their turn. */
  get holdsBytes(): boolean {
    return this.#held !== undefined;
  }

  /** Whose request is being answered. Undefined: nobody's. */
  get clientAddress(): string | undefined {
    return this.#exchange.clientAddress;
  }

  received(chunk: Buffer): void {
    const held = this.#held;
    this.#held = undefined;
    this.#advance(held === undefined ? chunk : Buffer.concat([held, chunk]));
  }

  /** Idle: a request may come. While the front drains, one more at most, whose answer says that it is the last. */
  awaitRequest(): void {
    const { draining, settings } = this.#context;
    const { keepAliveMs } = settings.timeouts;
    this.#client.deadline(draining ? Math.min(keepAliveMs, idleGraceMs) : keepAliveMs);
  }

  /** A request was answered, and there may be another. */
  next(): void {
    this.#state = "head";
    if (this.#client.full) {
      this.#client.deadline(this.#context.settings.timeouts.writeIdleMs);
      return;
    }
    this.awaitRequest();
    if (!this.#advancing) this.#proceed();
  }

  /** No further request is read. */
  end(): void {
    this.#state = "over";
    this.#held = undefined;
  }

  clientDrained(): void {
    if (this.#state === "head") {
      this.awaitRequest();
      this.#proceed();
    } else this.#exchange.clientDrained();
  }

  clientGone(): void {
    this.end();
    this.#leave?.();
    this.#exchange.clientGone();
  }

  /** The connection's deadline passed. */
  expired(): void {
    switch (this.#state) {
      case "head":
        if (this.#headBegun) this.#client.refuseHead(408, "request-timeout");
        else this.#client.destroy();
        return;
      case "body":
      case "busy":
        this.#exchange.expired(this.#state === "body");
        return;
      case "held":
      case "over":
        return;
      default:
        this.#state satisfies never;
    }
  }

  bodyBytes(buffer: Buffer, start: number, end: number): void {
    this.#exchange.sendBody(start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end));
  }

  #proceed(): void {
    const held = this.#held;
    this.#client.resumeReading();
    if (held === undefined) return;
    this.#held = undefined;
    this.#advance(held);
  }

  /** Reads as many messages as `buffer` holds and the answers allow. */
  #advance(buffer: Buffer): void {
    this.#advancing = true;
    let at = 0;
    for (let more = true; more; ) {
      switch (this.#state) {
        case "head": {
          if (at === buffer.length || this.#client.full) {
            this.#hold(buffer, at);
            more = false;
            break;
          }
          if (this.#context.settings !== this.#settings && !this.#headBegun) this.#renew();
          const head = this.#parser.parse(buffer, at, buffer.length);
          if (head === undefined) {
            if (!this.#headBegun) this.#client.deadline(this.#context.settings.timeouts.headersMs);
            this.#headBegun = true;
            this.#hold(buffer, at);
            more = false;
          } else if (!(head instanceof RequestHead)) {
            this.#client.refuseHead(head.status, head.fault);
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
          if (at < buffer.length && this.#exchange.mayUpgrade) this.#exchange.brokenOff(400, "bytes-behind-upgrade");
          else this.#hold(buffer, at);
          more = false;
          break;
        case "over":
          more = false;
          break;
        default:
          this.#state satisfies never;
      }
    }
    this.#advancing = false;
  }

  /** Other settings are in force: the next request is read and answered by them. */
  #renew(): void {
    this.#settings = this.#context.settings;
    this.#parser = new RequestHeadParser(this.#context.headLimits);
    this.#exchange = new Exchange(this.#client, this.#context);
  }

  #begin(head: RequestHead, moreBytes: boolean): void {
    if (head.upgrade !== undefined && moreBytes) {
      this.#client.refuseHead(400, "bytes-behind-upgrade");
      return;
    }
    const { facts } = this.#client;
    head.clientAddress = clientAddressOf(head, facts);
    identify(head, facts);
    const found = destinationOf(head, facts, this.#context);
    if (found.kind !== "held") {
      this.#follow(head, found);
      return;
    }
    this.#state = "held";
    this.#client.deadline(Number.POSITIVE_INFINITY);
    const trace = this.#client.trace(head);
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
      this.#client.respond(head, badRequest);
      return;
    }
    this.#follow(head, to);
    // If it was answered, the next one has been read off that already.
    if ((this.#state as State) !== "body" || held === undefined || this.#held !== held) return;
    this.#held = undefined;
    this.#advance(held);
  }

  #follow(head: RequestHead, found: Found): void {
    this.#state = "busy";
    if (found.kind !== "way") {
      this.#client.respond(head, found);
      return;
    }
    if (head.framing.kind !== "none") {
      this.#state = "body";
      this.#body.reset(head.framing, { limits: found.limits, emit: "framed", role: "request" });
    }
    this.#exchange.begin(head, found);
  }

  #readBody(buffer: Buffer, start: number): number {
    const body = this.#body;
    const at = body.read(buffer, start, buffer.length, this);
    const { failure } = body;
    if (failure !== undefined) {
      this.#exchange.brokenOff(...refusalOf(failure));
    } else if (body.complete) {
      if (this.#state === "body") this.#state = "busy";
      this.#exchange.requestComplete();
    }
    return at;
  }

  #hold(buffer: Buffer, at: number): void {
    if (at === buffer.length) return;
    this.#held = at === 0 ? buffer : buffer.subarray(at);
    const isFull = this.#state === "head" ? this.#client.full : this.#held.length > maxHeldBytes;
    if (isFull) this.#client.pauseReading();
  }
}
