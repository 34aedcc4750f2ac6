import type { Socket } from "node:net";
import { type DownstreamOptions, downstreamResponseHead, passesVerbatim } from "../../http/downstream.ts";
import type { ResponseHead } from "../../http/response-head.ts";
import type { Downstream } from "./downstream.ts";

/** Response bytes that are copied behind a rewritten head, which is cheaper than a vectored write; more are not. */
const maxJoinedBytes = 16_384;

const interimOptions: DownstreamOptions = { clientMinorVersion: 1, keepAlive: true, extra: "" };

/** A client's connection of HTTP/1.x. Bytes that need no change are passed on as they were received. */
export class Http1Downstream implements Downstream {
  bodies: "framed" | "payload" = "framed";
  /** The socket knows it too, and makes a list of what waits in it each time that it is asked. */
  bytesWritten = 0;
  readonly #socket: Socket;
  /** A head that had to be written anew, or `""`. */
  #head = "";
  /** Received bytes that go out as they are, behind it; contiguous ranges are joined so that they take one write. */
  #out: Buffer | undefined;
  #outStart = 0;
  #outEnd = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get drained(): boolean {
    return this.#socket.writableLength === 0;
  }

  /** All that the client is sent goes through here. False: it is to get no more until it has taken that. */
  write(bytes: Buffer): boolean {
    this.bytesWritten += bytes.length;
    return this.#socket.write(bytes);
  }

  /** Each character is an octet. */
  #writeText(text: string): boolean {
    this.bytesWritten += text.length;
    return this.#socket.write(text, "latin1");
  }

  interim(head: ResponseHead, clientMinorVersion: 0 | 1): void {
    // A client of HTTP/1.0 would take it for the response (RFC 9110 §15.2).
    if (clientMinorVersion === 1) this.#writeText(downstreamResponseHead(head, interimOptions));
  }

  head(head: ResponseHead, options: DownstreamOptions, buffer: Buffer, start: number, end: number): void {
    // A client of HTTP/1.0 knows no chunks.
    this.bodies = options.clientMinorVersion === 0 ? "payload" : "framed";
    if (passesVerbatim(head, options)) this.bytes(buffer, start, end);
    else this.#head = downstreamResponseHead(head, options);
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    if (buffer === this.#out && start === this.#outEnd) {
      this.#outEnd = end;
      return;
    }
    if (this.#out !== undefined) this.flush();
    this.#out = buffer;
    this.#outStart = start;
    this.#outEnd = end;
  }

  flush(): boolean {
    const buffer = this.#out;
    this.#out = undefined;
    if (this.#head !== "") return this.#flushBehindHead(buffer);
    if (buffer === undefined || this.#outStart === this.#outEnd) return true;
    return this.write(this.#range(buffer));
  }

  /** Its framing says so. */
  complete(): void {
    this.flush();
  }

  end(): void {
    this.#socket.end();
  }

  #flushBehindHead(buffer: Buffer | undefined): boolean {
    const text = this.#head;
    this.#head = "";
    const length = buffer === undefined ? 0 : this.#outEnd - this.#outStart;
    if (length <= maxJoinedBytes) {
      const joined = Buffer.allocUnsafe(text.length + length);
      joined.write(text, 0, text.length, "latin1");
      buffer?.copy(joined, text.length, this.#outStart, this.#outEnd);
      return this.write(joined);
    }
    this.#socket.cork();
    this.#writeText(text);
    const takesMore = this.write(this.#range(buffer!));
    this.#socket.uncork();
    return takesMore;
  }

  #range(buffer: Buffer): Buffer {
    const whole = this.#outStart === 0 && this.#outEnd === buffer.length;
    return whole ? buffer : buffer.subarray(this.#outStart, this.#outEnd);
  }
}
