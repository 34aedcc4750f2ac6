import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { AnswerReason } from "../../http/answer-reason.ts";
import { BodyReader, type BodySink } from "../../http/body-reader.ts";
import { ResponseHead, ResponseHeadParser } from "../../http/response-head.ts";
import { containedListeners } from "../agent-faults.ts";
import type { HandedConnection } from "./handed-connection.ts";
import { writeInterim } from "./interim-response.ts";
import { answerOurselves, noteRelayedAnswer } from "./own-answers.ts";
import { clientFields, type PeerBody, pairsOf, peerBodyOf, peerLimits, peerRequestHead } from "./peer-messages.ts";
import { withFields } from "./response-fields.ts";

export interface RelayedRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client was not told yet to send its body, and may wait for that. */
  readonly awaitsContinue: boolean;
  /** Added to the response: name, value, name, value … */
  readonly fields: readonly string[];
  /** What the request came on. */
  readonly connection: HandedConnection;
}

const nothing = Buffer.alloc(0);
const endOfLine = Buffer.from("\r\n");

/**
 * One request that another worker answers, on a connection to it that serves nothing else. Bodies are streamed both ways
 * with their trailers, and whichever side leaves takes the other along. The response is read with the parser of proxy
 * mode and leaves through Node's own response, which knows the client's connection and whose turn it is on it.
 */
export class PeerExchange implements BodySink {
  readonly #relayed: RelayedRequest;
  readonly #peer: Socket;
  readonly #requestBody: PeerBody;
  readonly #parser = new ResponseHeadParser(peerLimits);
  readonly #responseBody = new BodyReader();
  /**
   * - `head`: the client has seen nothing of a response;
   * - `body`: its head was passed on;
   * - `answered`: all of it was; of the request, a part may be missing;
   * - `over`: nothing is passed on any more.
   */
  #phase: "head" | "body" | "answered" | "over" = "head";
  /** Of a head whose end has not arrived. */
  #partial: Buffer = nothing;
  #awaitsContinue: boolean;
  readonly #forget: () => void;

  constructor(relayed: RelayedRequest, peer: Socket) {
    const { request, response, connection } = relayed;
    this.#relayed = relayed;
    this.#peer = peer;
    this.#awaitsContinue = relayed.awaitsContinue;
    this.#requestBody = peerBodyOf(request);
    // Whatever comes of it says nothing of this instance.
    noteRelayedAnswer(response);
    response.sendDate = false;
    const on = containedListeners("a relayed request", () => this.cut());
    on(peer, "data", (chunk) => this.#received(chunk));
    on(peer, "end", () => this.#ended());
    on(peer, "close", () => this.cut());
    on(peer, "drain", () => void request.resume());
    on(response, "drain", () => void peer.resume());
    on(response, "close", () => {
      if (!response.writableFinished) this.cut();
    });
    on(request, "data", (chunk) => this.#upload(chunk));
    on(request, "close", () => {
      if (!request.readableEnded) this.cut();
    });
    on(request, "end", () => this.#uploaded());
    request.on("error", ignore);
    response.on("error", ignore);
    this.#forget = connection.whenClosed(() => this.cut());
    const head = peerRequestHead(request, this.#requestBody, "");
    if (head === undefined) this.#refuse(400, "malformed");
    else peer.write(head, "latin1");
  }

  /** The client, or the other worker, has left: so does the other one, and what is not whole does not look as if it were. */
  cut(): void {
    switch (this.#phase) {
      case "head":
        this.#refuse(502, "reset");
        return;
      case "body":
        this.#end();
        this.#relayed.response.destroy();
        return;
      case "answered":
      case "over":
        this.#end();
        return;
      default:
        this.#phase satisfies never;
    }
  }

  bodyBytes(buffer: Buffer, start: number, end: number): void {
    if (!this.#relayed.response.write(buffer.subarray(start, end))) this.#peer.pause();
  }

  #received(chunk: Buffer): void {
    switch (this.#phase) {
      case "head":
        this.#readHead(this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]));
        return;
      case "body":
        this.#readBody(chunk, 0);
        return;
      case "answered":
      case "over":
        return;
      default:
        this.#phase satisfies never;
    }
  }

  #readHead(bytes: Buffer): void {
    const { request, response, fields } = this.#relayed;
    for (let start = 0; ; ) {
      const head = this.#parser.parse(bytes, start, bytes.length, request.method ?? "GET");
      if (head === undefined) {
        this.#partial = bytes.subarray(start);
        return;
      }
      if (!(head instanceof ResponseHead) || head.status === 101) {
        this.cut();
        return;
      }
      start += head.byteLength;
      if (head.interim) {
        this.#interim(head);
        continue;
      }
      this.#partial = nothing;
      const takesTrailers = request.httpVersionMinor > 0;
      const given = withFields(response, clientFields(head, takesTrailers), fields);
      response.writeHead(head.status, head.reason, given);
      this.#phase = "body";
      // It closes when it has answered, and what is still sent then would take its answer away.
      if (head.fields.connection.close) this.#dropUpload();
      this.#responseBody.reset(head.framing, { limits: peerLimits, emit: "payload", role: "response" });
      this.#readBody(bytes, start);
      // A body may take its time; whoever streams waits for the head.
      if (this.#phase === "body" && this.#responseBody.received === 0) response.write(nothing);
      return;
    }
  }

  #interim(head: ResponseHead): void {
    const { request, response } = this.#relayed;
    if (head.status !== 100) {
      if (request.httpVersionMinor > 0) writeInterim(response, head);
      return;
    }
    if (!this.#awaitsContinue) return;
    this.#awaitsContinue = false;
    response.writeContinue();
  }

  #readBody(bytes: Buffer, start: number): void {
    this.#responseBody.read(bytes, start, bytes.length, this);
    if (this.#responseBody.failure !== undefined) this.cut();
    else if (this.#responseBody.complete) this.#answered();
  }

  #ended(): void {
    if (this.#phase === "body" && this.#responseBody.closed()) this.#answered();
    else this.cut();
  }

  /** An app may answer before it has read the request to its end, and still want the rest. */
  #answered(): void {
    const { request, response } = this.#relayed;
    const { trailers } = this.#responseBody;
    if (trailers !== "") response.addTrailers(pairsOf(trailers));
    response.end();
    this.#phase = "answered";
    if (request.complete && request.readableEnded) this.#end();
  }

  #upload(chunk: Buffer): void {
    if (this.#phase === "over") return;
    const peer = this.#peer;
    switch (this.#requestBody.kind) {
      case "none":
        // The head that it came with has no length: to the other worker this would be another request.
        this.#refuse(400, "malformed");
        return;
      case "length":
        if (!peer.write(chunk)) this.#relayed.request.pause();
        return;
      case "chunked":
        peer.cork();
        peer.write(`${chunk.length.toString(16)}\r\n`, "latin1");
        peer.write(chunk);
        if (!peer.write(endOfLine)) this.#relayed.request.pause();
        peer.uncork();
        return;
      default:
        this.#requestBody satisfies never;
    }
  }

  #uploaded(): void {
    if (this.#phase === "answered") this.#end();
    if (this.#phase === "over" || this.#requestBody.kind !== "chunked") return;
    const { rawTrailers } = this.#relayed.request;
    let lines = "";
    for (let index = 0; index + 1 < rawTrailers.length; index += 2) {
      lines += `${rawTrailers[index]}: ${rawTrailers[index + 1]}\r\n`;
    }
    this.#peer.write(`0\r\n${lines}\r\n`, "latin1");
  }

  /** Answers for ourselves, if there still is somebody to be answered. */
  #refuse(status: 400 | 502, reason: AnswerReason): void {
    this.#end();
    answerOurselves(this.#relayed.response, status, reason);
  }

  #end(): void {
    this.#phase = "over";
    this.#forget();
    this.#peer.destroy();
    this.#dropUpload();
  }

  /** Nobody wants the rest of the request; the next one on the connection comes behind it. */
  #dropUpload(): void {
    const { request } = this.#relayed;
    request.removeAllListeners("data");
    request.resume();
  }
}

function ignore(): void {}
