import { BodyReader, type BodySink } from "../../http/body-reader.ts";
import type { DownstreamOptions } from "../../http/downstream.ts";
import { ResponseHead, ResponseHeadParser } from "../../http/response-head.ts";
import type { FrontSettings } from "../settings.ts";
import type { Downstream } from "./downstream.ts";

/** Decides on what the relay finds. A call may end the exchange; the relay then touches nothing more. */
export interface ResponseOwner {
  /** The beginning of a small response has come. True: it may wait here for its rest, until {@link ResponseRelay.letGo}. */
  responseBegun(status: number): boolean;
  /** A final head, or a 101. Answers how to pass it on, or undefined if it is not to be. */
  responseHead(head: ResponseHead): DownstreamOptions | undefined;
  /** The 101 is with the client; what the endpoint sent behind it is the tunnel's. */
  tunnelOpened(buffer: Buffer, start: number, end: number): void;
  /** What came is not a response. The client has seen nothing yet if `begun` is false. */
  responseInvalid(begun: boolean): void;
  /** The response is with the client; `stray`: the endpoint sent more than belonged to it. */
  responseComplete(stray: boolean): void;
  /** The client takes no more for now. */
  clientFull(): void;
}

/** Of a body, for its response to wait for its rest. */
const maxHeldBodyBytes = 8_192;

/** Reads one response from the bytes of an endpoint and writes it to the client, in as few writes as it came in reads. */
export class ResponseRelay implements BodySink {
  readonly #downstream: Downstream;
  readonly #owner: ResponseOwner;
  readonly #settings: FrontSettings;
  readonly #parser: ResponseHeadParser;
  readonly #body = new BodyReader();
  #phase: "head" | "body" | "over" = "over";
  #method = "";
  #clientMinorVersion: 0 | 1 = 1;
  #interims = 0;
  /** The beginning of a head whose end has not arrived, or of a response that waits for its rest. */
  #partial: Buffer | undefined;
  /** How long the response is that waits, or has waited, for its rest; else 0. */
  #heldLength = 0;

  constructor(downstream: Downstream, owner: ResponseOwner, settings: FrontSettings) {
    this.#downstream = downstream;
    this.#owner = owner;
    this.#settings = settings;
    this.#parser = new ResponseHeadParser(settings.limits);
  }

  /** Makes ready for the response to a request. */
  begin(method: string, clientMinorVersion: 0 | 1): void {
    this.#phase = "head";
    this.#method = method;
    this.#clientMinorVersion = clientMinorVersion;
    this.#interims = 0;
    this.#partial = undefined;
    this.#heldLength = 0;
    this.#parser.reset();
  }

  /** Nothing of a response has arrived. */
  get untouched(): boolean {
    return this.#phase === "head" && this.#partial === undefined && this.#interims === 0;
  }

  /** Passes on what waits for its rest. False: nothing does. */
  letGo(): boolean {
    const held = this.#partial;
    if (held === undefined || this.#heldLength === 0) return false;
    this.#partial = undefined;
    this.#readHead(held, 0, held.length);
    return true;
  }

  /** True: nothing of `buffer` is needed any more. */
  receive(buffer: Buffer, start: number, end: number): boolean {
    this.#read(buffer, start, end);
    // What is kept was copied, the rest was written, and a socket that has written all it was given needs nothing more.
    return this.#downstream.drained;
  }

  #read(buffer: Buffer, start: number, end: number): void {
    switch (this.#phase) {
      case "head":
        if (this.#partial === undefined) this.#readHead(buffer, start, end);
        else this.#readOn(Buffer.concat([this.#partial, buffer.subarray(start, end)]));
        return;
      case "body":
        this.#readBody(buffer, start, end);
        return;
      case "over":
        return;
      default:
        this.#phase satisfies never;
    }
  }

  /** The endpoint sends nothing more: true if that is how this response ends. */
  endsWithConnection(): boolean {
    if (this.#phase !== "body" || !this.#body.closed()) return false;
    this.#phase = "over";
    this.#downstream.complete("");
    return true;
  }

  bodyBytes(buffer: Buffer, start: number, end: number): void {
    this.#downstream.bytes(buffer, start, end);
  }

  /** What came before, with what came now. */
  #readOn(joined: Buffer): void {
    this.#partial = joined;
    if (joined.length < this.#heldLength) return;
    this.#partial = undefined;
    this.#readHead(joined, 0, joined.length);
  }

  #readHead(buffer: Buffer, from: number, end: number): void {
    let start = from;
    for (;;) {
      const head = this.#parser.parse(buffer, start, end, this.#method);
      if (head === undefined) {
        if (start < end) this.#keep(buffer, start, end);
        return;
      }
      if (
        !(head instanceof ResponseHead) ||
        (head.interim && this.#interims >= this.#settings.limits.maxInterimResponses)
      ) {
        this.#owner.responseInvalid(false);
        return;
      }
      if (!head.interim) {
        this.#respond(head, buffer, start, end);
        return;
      }
      this.#interims++;
      this.#downstream.interim(head, this.#clientMinorVersion);
      start += head.byteLength;
    }
  }

  #respond(head: ResponseHead, buffer: Buffer, start: number, end: number): void {
    if (this.#waits(head, end - start)) {
      this.#keep(buffer, start, end);
      return;
    }
    const options = this.#owner.responseHead(head);
    if (options === undefined) return;
    const bodyStart = start + head.byteLength;
    this.#downstream.head(head, options, buffer, start, bodyStart);
    if (head.status === 101) {
      this.#phase = "over";
      this.#flush();
      this.#owner.tunnelOpened(buffer, bodyStart, end);
      return;
    }
    this.#phase = "body";
    this.#body.reset(head.framing, { limits: this.#settings.limits, emit: this.#downstream.bodies, role: "response" });
    this.#readBody(buffer, bodyStart, end);
  }

  /** The buffer is a whole read, and is used again if nobody keeps a part of it. */
  #keep(buffer: Buffer, start: number, end: number): void {
    this.#partial = Buffer.from(buffer.subarray(start, end));
  }

  #waits({ framing, byteLength, status }: ResponseHead, arrived: number): boolean {
    if (framing.kind !== "length" || arrived >= byteLength + framing.bytes) return false;
    if (framing.bytes > maxHeldBodyBytes || this.#heldLength > 0 || !this.#owner.responseBegun(status)) return false;
    this.#heldLength = byteLength + framing.bytes;
    return true;
  }

  #readBody(buffer: Buffer, start: number, end: number): void {
    const at = this.#body.read(buffer, start, end, this);
    if (this.#body.complete) {
      this.#phase = "over";
      this.#downstream.complete(this.#body.trailers);
      this.#owner.responseComplete(at < end);
      return;
    }
    this.#flush();
    if (this.#body.failure !== undefined) {
      this.#phase = "over";
      this.#owner.responseInvalid(true);
    }
  }

  #flush(): void {
    if (!this.#downstream.flush()) this.#owner.clientFull();
  }
}
