import { type BodyFraming, noBody } from "./body-framing.ts";
import type { BodyReaderOptions, BodySink } from "./body-sink.ts";
import { ChunkedReader } from "./chunked-reader.ts";
import { type BadResponse, badResponses, type Rejection, rejections } from "./rejection.ts";

export type { BodyReaderOptions, BodySink };

/**
 * Finds where a body ends and which of its bytes to pass on. One reader serves one body after another; it copies
 * nothing, and allocates nothing unless there are trailers.
 */
export class BodyReader {
  #kind: BodyFraming["kind"] = noBody.kind;
  #role: BodyReaderOptions["role"] = "request";
  /** Of a length-delimited body: bytes to come. */
  #remaining = 0;
  /** Of a body that is not chunked: bytes read. */
  #received = 0;
  #complete = true;
  readonly #chunked = new ChunkedReader();

  /** Begins a body. A request whose declared length is over `maxBodyBytes` never gets here: its head was rejected. */
  reset(framing: BodyFraming, options: BodyReaderOptions): void {
    this.#kind = framing.kind;
    this.#role = options.role;
    this.#remaining = framing.kind === "length" ? framing.bytes : 0;
    this.#received = 0;
    this.#complete = framing.kind === "none";
    this.#chunked.reset(options);
  }

  /**
   * Reads from `buffer[start, end)` and answers the position behind the last byte that belongs to the body. Once the
   * body is complete or has failed, nothing more is read.
   */
  read(buffer: Buffer, start: number, end: number, sink: BodySink): number {
    switch (this.#kind) {
      case "none":
        return start;
      case "length": {
        const stop = Math.min(end, start + this.#remaining);
        if (stop === start) return start;
        this.#remaining -= stop - start;
        this.#received += stop - start;
        this.#complete = this.#remaining === 0;
        sink.bodyBytes(buffer, start, stop);
        return stop;
      }
      case "chunked":
        return this.#chunked.read(buffer, start, end, sink);
      case "close":
        if (end === start || this.#complete) return start;
        this.#received += end - start;
        sink.bodyBytes(buffer, start, end);
        return end;
    }
  }

  /** All of the body was read. */
  get complete(): boolean {
    return this.#kind === "chunked" ? this.#chunked.complete : this.#complete;
  }

  /** The trailers that may go on, as lines, once the body is complete; for who has asked for the payload alone. */
  get trailers(): string {
    return this.#kind === "chunked" ? this.#chunked.trailers : "";
  }

  /** What is wrong with the body; nothing of the faulty line or trailer was passed on. */
  get failure(): Rejection | BadResponse | undefined {
    const fault = this.#chunked.fault;
    if (fault === undefined || this.#kind !== "chunked") return undefined;
    return this.#role === "request" ? rejections[fault] : badResponses[fault];
  }

  /** Payload bytes so far. */
  get received(): number {
    return this.#kind === "chunked" ? this.#chunked.received : this.#received;
  }

  /** The sender closed. True if the body is complete, which for a close-delimited one it is by that. */
  closed(): boolean {
    if (this.#kind === "close") this.#complete = true;
    return this.complete;
  }
}
