import type { DownstreamOptions } from "../../../http/downstream.ts";
import type { ResponseHead } from "../../../http/response-head.ts";
import { answerBlock, responseBlock, trailerBlock } from "../../../http2/response-block.ts";
import type { Http2Stream } from "../../../http2/stream.ts";
import type { Downstream } from "../downstream.ts";

/** One stream of HTTP/2 after the other, as a place for responses. */
export class Http2Downstream implements Downstream {
  readonly bodies = "payload";
  /** Of bodies, in all streams. */
  bytesWritten = 0;
  #stream!: Http2Stream;
  /** A head that was not sent yet. */
  #block: Buffer | undefined;
  /** Received bytes that go out next; contiguous ranges are joined. */
  #out: Buffer | undefined;
  #outStart = 0;
  #outEnd = 0;

  /** What is given from now on goes to another stream. */
  serve(stream: Http2Stream): void {
    this.#stream = stream;
    this.#block = undefined;
    this.#out = undefined;
  }

  get drained(): boolean {
    return !this.#stream.lent;
  }

  interim(head: ResponseHead): void {
    this.#stream.respond(responseBlock(head, nothing), false);
  }

  head(head: ResponseHead, options: DownstreamOptions): void {
    this.#block = responseBlock(head, options);
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    if (start === end) return;
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
    this.#respond(false);
    return this.#out === undefined || this.#send(this.#out, false);
  }

  complete(trailers: string): void {
    const out = this.#out;
    this.#respond(out === undefined && trailers === "");
    if (out !== undefined) this.#send(out, trailers === "");
    this.#stream.finish(trailers === "" ? undefined : trailerBlock(trailers));
  }

  end(): void {
    this.#stream.finish();
  }

  /** Writes an answer of our own, whole. `lines` each end in CRLF. */
  answer(status: number, lines: string, body: Buffer): void {
    this.#block = undefined;
    this.#out = undefined;
    this.#stream.respond(answerBlock(status, lines), body.length === 0);
    if (body.length === 0) return;
    this.bytesWritten += body.length;
    this.#stream.send(body, 0, body.length, true);
  }

  #respond(endStream: boolean): void {
    const block = this.#block;
    if (block === undefined) return;
    this.#block = undefined;
    this.#stream.respond(block, endStream);
  }

  #send(out: Buffer, last: boolean): boolean {
    this.#out = undefined;
    this.bytesWritten += this.#outEnd - this.#outStart;
    return this.#stream.send(out, this.#outStart, this.#outEnd, last);
  }
}

const nothing = { extra: "" };
