import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { BodyReader, type BodySink } from "../../http/body-reader.ts";
import { downstreamResponseHead } from "../../http/downstream.ts";
import { errorResponse } from "../../http/error-response.ts";
import { ResponseHead, ResponseHeadParser } from "../../http/response-head.ts";
import type { Clock } from "../../model/clock.ts";
import { contained, containedListeners } from "../agent-faults.ts";
import { peerLimits, peerRequestHead } from "./peer-messages.ts";

/** A request for an upgrade, as a server tells of it. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

const nothing = Buffer.alloc(0);
/** From our end to the client's: what it still sends is dropped for so long, lest a reset take the last bytes from it. */
const lingerMs = 2_000;

/**
 * Has another worker answer a request for an upgrade. Only when that has switched protocols do further bytes of the client
 * go there: before that they might be requests, which would get to the app without having been looked at. So an answer
 * that switches nothing is the last on the connection.
 */
export class PeerUpgrade implements BodySink {
  readonly #upgrade: Upgrade;
  readonly #peer: Socket;
  readonly #clock: Clock;
  readonly #parser = new ResponseHeadParser(peerLimits);
  /** Of an answer that switches nothing. */
  readonly #body = new BodyReader();
  /** `refused`: the answer is passed on to its end, and what the client says is dropped. */
  #phase: "head" | "tunnel" | "refused" | "over" = "head";
  #partial: Buffer = nothing;

  constructor(upgrade: Upgrade, peer: Socket, clock: Clock) {
    const { request, socket } = upgrade;
    this.#upgrade = upgrade;
    this.#peer = peer;
    this.#clock = clock;
    const on = containedListeners("a relayed upgrade", () => this.cut());
    on(peer, "data", (chunk) => this.#answered(chunk));
    on(peer, "end", () => this.#ended());
    on(peer, "drain", () => void socket.resume());
    on(peer, "close", () => this.#closed(socket));
    on(peer, "error", () => {});
    on(socket, "drain", () => void peer.resume());
    on(socket, "close", () => this.#closed(peer));
    on(socket, "error", () => {});
    const head = peerRequestHead(request, { kind: "none" }, "Upgrade, close");
    if (head === undefined) this.#refuse(400);
    else peer.write(head, "latin1");
  }

  cut(): void {
    if (this.#phase === "head") {
      this.#refuse(502);
      return;
    }
    this.#phase = "over";
    this.#peer.destroy();
    this.#upgrade.socket.destroy();
  }

  #answered(chunk: Buffer): void {
    const { socket } = this.#upgrade;
    switch (this.#phase) {
      case "head":
        this.#readHead(this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]));
        return;
      case "tunnel":
        if (!socket.write(chunk)) this.#peer.pause();
        return;
      case "refused":
        this.#readBody(chunk, 0);
        return;
      case "over":
        return;
      default:
        this.#phase satisfies never;
    }
  }

  bodyBytes(buffer: Buffer, start: number, end: number): void {
    if (!this.#upgrade.socket.write(buffer.subarray(start, end))) this.#peer.pause();
  }

  #readHead(bytes: Buffer): void {
    for (let start = 0; ; ) {
      const head = this.#parser.parse(bytes, start, bytes.length, "GET");
      if (head === undefined) {
        this.#partial = bytes.subarray(start);
        return;
      }
      if (!(head instanceof ResponseHead)) {
        this.cut();
        return;
      }
      if (!head.interim) {
        this.#partial = nothing;
        if (head.status === 101) this.#open(bytes.subarray(start));
        else this.#refused(head, bytes, start + head.byteLength);
        return;
      }
      start += head.byteLength;
    }
  }

  #refused(head: ResponseHead, bytes: Buffer, bodyStart: number): void {
    const { socket, request } = this.#upgrade;
    this.#phase = "refused";
    // What the client has sent behind its offer, and may still send, is dropped.
    socket.resume();
    const clientMinorVersion = request.httpVersionMinor === 0 ? 0 : 1;
    socket.write(downstreamResponseHead(head, { clientMinorVersion, keepAlive: false, extra: "" }), "latin1");
    const emit = clientMinorVersion === 0 ? "payload" : "framed";
    this.#body.reset(head.framing, { limits: peerLimits, emit, role: "response" });
    this.#readBody(bytes, bodyStart);
  }

  #readBody(bytes: Buffer, start: number): void {
    this.#body.read(bytes, start, bytes.length, this);
    if (this.#body.failure !== undefined) this.cut();
    else if (this.#body.complete) this.#finish();
  }

  #finish(): void {
    this.#phase = "over";
    this.#peer.destroy();
    endAndLinger(this.#upgrade.socket, nothing, this.#clock);
  }

  #open(first: Buffer): void {
    const { socket, head } = this.#upgrade;
    const peer = this.#peer;
    this.#phase = "tunnel";
    if (!socket.write(first)) peer.pause();
    const send = contained(
      "a relayed upgrade: the client's bytes",
      (chunk: Buffer) => {
        if (!peer.write(chunk)) socket.pause();
      },
      () => this.cut(),
    );
    if (head.length > 0) send(head);
    socket.on("data", send);
    socket.on(
      "end",
      contained(
        "a relayed upgrade: the client's end",
        () => void peer.end(),
        () => this.cut(),
      ),
    );
    socket.resume();
  }

  #ended(): void {
    switch (this.#phase) {
      case "head":
        this.#refuse(502);
        return;
      case "tunnel":
        this.#upgrade.socket.end();
        return;
      case "refused":
        if (this.#body.closed()) this.#finish();
        else this.cut();
        return;
      case "over":
        return;
      default:
        this.#phase satisfies never;
    }
  }

  /** One side is closed. What the other one was given until its end is still written; what broke off breaks off there. */
  #closed(other: Duplex): void {
    if (this.#phase === "over") return;
    if (this.#phase === "head") this.#refuse(502);
    else if (!other.writableEnded || other.writableFinished) other.destroy();
    else endAndLinger(other, nothing, this.#clock);
  }

  #refuse(status: 400 | 502): void {
    this.#phase = "over";
    this.#peer.destroy();
    refuseUpgrade(this.#upgrade.socket, status, this.#clock);
  }
}

/** Answers an upgrade for ourselves, and closes. */
export function refuseUpgrade(socket: Duplex, status: number, clock: Clock): void {
  socket.on("error", () => {});
  if (!socket.destroyed && !socket.writableEnded) endAndLinger(socket, errorResponse(status), clock);
}

function endAndLinger(socket: Duplex, last: Buffer, clock: Clock): void {
  socket.resume();
  if (!socket.writableEnded) socket.end(last);
  const timer = clock.after(lingerMs, () => void socket.destroy());
  socket.once("close", () => timer.cancel());
}
