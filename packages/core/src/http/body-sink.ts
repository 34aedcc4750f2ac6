import type { HttpLimits } from "../options/limit-options.ts";

/** Takes the bytes of a body that are to be passed on, in order. */
export interface BodySink {
  /** `buffer[start, end)`, never empty; the buffer is the one that was read from, or a small one of our own. */
  bodyBytes(buffer: Buffer, start: number, end: number): void;
}

export interface BodyReaderOptions {
  readonly limits: HttpLimits;
  /**
   * `framed`: chunked bodies stay chunked, without extensions and with none but harmless trailers. `payload`: only their
   * data, for a client that cannot read chunks. Other bodies are the same in both.
   */
  readonly emit: "framed" | "payload";
  /** Decides whether `failure` is a rejection or a bad response; `maxBodyBytes` holds for requests alone. */
  readonly role: "request" | "response";
}
