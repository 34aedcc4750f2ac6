import type { ServerHttp2Stream, ServerStreamResponseOptions } from "node:http2";
import type { DownstreamOptions } from "../../../http/downstream.ts";
import { type Http2Fields, http2FieldsOf, http2ResponseFields } from "../../../http/http2-response.ts";
import type { ResponseHead } from "../../../http/response-head.ts";
import type { Downstream } from "../downstream.ts";

/**
 * Response bytes up to which they are copied: the buffer that they came in can be read into again at once, while the stream
 * keeps what it is given until all of it is written. A frame's payload at most (RFC 9113 §6.5.2).
 */
const maxCopiedBytes = 16_384;

/** One stream of HTTP/2 after the other, as a place for responses. */
export class Http2Downstream implements Downstream {
  readonly bodies = "payload";
  /** Of bodies, in all streams. */
  bytesWritten = 0;
  #stream: ServerHttp2Stream | undefined;
  /** A head that was not sent yet. */
  #fields: Http2Fields | undefined;
  #mayHaveTrailers = false;
  #trailers = "";
  /** Received bytes that go out next; contiguous ranges are joined. */
  #out: Buffer | undefined;
  #outStart = 0;
  #outEnd = 0;
  /** The stream has bytes that were not copied. */
  #lent = false;

  /** What is given from now on goes to another stream. */
  serve(stream: ServerHttp2Stream): void {
    this.#stream = stream;
    this.#fields = undefined;
    this.#out = undefined;
    this.#lent = false;
    this.#trailers = "";
  }

  get drained(): boolean {
    if (this.#lent && this.#stream!.writableLength === 0) this.#lent = false;
    return !this.#lent;
  }

  interim(head: ResponseHead): void {
    const stream = this.#stream!;
    if (stream.closed || stream.destroyed) return;
    stream.additionalHeaders(namedValues(http2ResponseFields(head, nothing)));
  }

  head(head: ResponseHead, options: DownstreamOptions): void {
    this.#fields = http2ResponseFields(head, options);
    this.#mayHaveTrailers = head.framing.kind === "chunked";
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
    const stream = this.#stream!;
    if (!this.#takes(stream)) return true;
    if (this.#fields !== undefined) this.#respond(stream, this.#mayHaveTrailers);
    const bytes = this.#taken();
    return bytes === undefined || stream.write(bytes);
  }

  complete(trailers: string): void {
    const stream = this.#stream!;
    if (!this.#takes(stream)) return;
    this.#trailers = trailers;
    if (this.#fields !== undefined) {
      if (this.#out === undefined && trailers === "") {
        stream.respond(this.#fields as string[], onlyHead);
        this.#fields = undefined;
        return;
      }
      this.#respond(stream, trailers !== "");
    }
    const bytes = this.#taken();
    if (bytes === undefined) stream.end();
    else stream.end(bytes);
  }

  end(): void {
    this.#stream!.end();
  }

  /** Writes an answer of our own, whole. `fields` begin with `:status`. */
  answer(fields: Http2Fields, body: Buffer): void {
    const stream = this.#stream!;
    if (!this.#takes(stream)) return;
    this.bytesWritten += body.length;
    stream.respond(fields as string[], body.length === 0 ? onlyHead : headAndBody);
    if (body.length > 0) stream.end(body);
  }

  /** Whether it still does; else what comes is dropped, as the client has gone. */
  #takes(stream: ServerHttp2Stream): boolean {
    if (!stream.closed && !stream.destroyed) return true;
    this.#fields = undefined;
    this.#out = undefined;
    return false;
  }

  #respond(stream: ServerHttp2Stream, waitForTrailers: boolean): void {
    const fields = this.#fields as string[];
    this.#fields = undefined;
    if (waitForTrailers) stream.once("wantTrailers", () => stream.sendTrailers(this.#trailerFields()));
    stream.respond(fields, waitForTrailers ? headBodyAndTrailers : headAndBody);
  }

  #trailerFields(): Record<string, string | string[]> {
    return namedValues(http2FieldsOf(this.#trailers));
  }

  #taken(): Buffer | undefined {
    const buffer = this.#out;
    this.#out = undefined;
    // A response to HEAD has none, and those of some statuses, whatever their endpoint sent.
    if (buffer === undefined || this.#stream!.writableEnded) return undefined;
    const bytes = buffer.subarray(this.#outStart, this.#outEnd);
    this.bytesWritten += bytes.length;
    if (bytes.length <= maxCopiedBytes) return Buffer.from(bytes);
    this.#lent = true;
    return bytes;
  }
}

const nothing = { extra: "" };
// The Date is in the fields.
const headAndBody = { sendDate: false } as ServerStreamResponseOptions;
const headBodyAndTrailers: ServerStreamResponseOptions = { ...headAndBody, waitForTrailers: true };
const onlyHead: ServerStreamResponseOptions = { ...headAndBody, endStream: true };

/** As Node wants them where it takes no list. */
function namedValues(fields: Http2Fields): Record<string, string | string[]> {
  const named: Record<string, string | string[]> = Object.create(null);
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!;
    const before = named[name];
    const value = fields[index + 1]!;
    named[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return named;
}
