import { Readable } from "node:stream";
import { GatewayError } from "../errors.ts";
import type { Attempt } from "./attempt.ts";
import { ContentCoding } from "./content-coding.ts";

export interface AnswerBodyOptions {
  /** It is on hold: nothing of the body comes before somebody wants it. */
  readonly attempt: Pick<Attempt, "hold" | "resume">;
  readonly contentEncoding: string | undefined;
  /** Of a whole body, with its codings and without. */
  readonly maxBytes: number;
}

/** What of the body was asked for. A stream of it is gone once it was read. */
export type BodyUse = "untouched" | "whole" | "streamed";

/** The body of an answer, for the app in place of the client. */
export class AnswerBody {
  readonly #options: AnswerBodyOptions;
  #use: BodyUse = "untouched";
  #source: Readable | undefined;
  #raw: Promise<Buffer> | undefined;

  constructor(options: AnswerBodyOptions) {
    this.#options = options;
  }

  get use(): BodyUse {
    return this.#use;
  }

  /** The body as the endpoint sent it. Once asked for, it can be had again. */
  raw(): Promise<Buffer> {
    if (this.#use === "streamed") return Promise.reject(takenTwice());
    this.#use = "whole";
    this.#raw ??= this.#collect();
    return this.#raw;
  }

  async bytes(): Promise<Buffer> {
    const { contentEncoding, maxBytes } = this.#options;
    const coding = new ContentCoding(contentEncoding);
    const raw = await this.raw();
    try {
      return await coding.decode(raw, maxBytes);
    } catch (cause) {
      const isLarge = (cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
      throw isLarge
        ? tooLarge(maxBytes)
        : new GatewayError("LB_UPSTREAM_INVALID", "The body cannot be decoded", { cause });
    }
  }

  stream(): Readable {
    if (this.#use !== "untouched") throw takenTwice();
    const coding = new ContentCoding(this.#options.contentEncoding);
    this.#use = "streamed";
    return coding.decoded(this.#open());
  }

  /** False: no more before the attempt is resumed, which this does by itself. */
  received(piece: Buffer): boolean {
    return this.#source!.push(piece);
  }

  ended(): void {
    this.#source?.push(null);
  }

  failed(error: Error): void {
    this.#source?.destroy(error);
  }

  #open(): Readable {
    const { attempt } = this.#options;
    this.#source = new Readable({ read: () => attempt.resume(), highWaterMark: 131_072 });
    // Whoever reads it is told; where nobody does any more, there is nobody to tell.
    this.#source.on("error", () => {});
    return this.#source;
  }

  async #collect(): Promise<Buffer> {
    const { maxBytes } = this.#options;
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of this.#open() as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }
}

function tooLarge(maxBytes: number): GatewayError {
  const message = `The answer has more than ${maxBytes} bytes, which limits.maxRewrittenBytes allows onResponse to hold`;
  return new GatewayError("LB_RESPONSE_TOO_LARGE", message);
}

function takenTwice(): GatewayError {
  return new GatewayError(
    "LB_RULE",
    'The function in the option "onResponse" took the response\'s body as a stream before',
  );
}
