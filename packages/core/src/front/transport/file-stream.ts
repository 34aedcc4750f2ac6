import type { FileAnswer, FileSlice } from "../../files/file-request.ts";
import type { FileServer } from "../../files/file-server.ts";
import { reasonPhrase } from "../../http/error-response.ts";
import { headerLines } from "../../http/header-lines.ts";
import { RequestHead, type RequestHeadParser } from "../../http/request-head.ts";
import type { UpstreamSink, UpstreamStream } from "./upstream.ts";

/** Read and passed on at a time; a client that stops reading has so much waiting for it, and no more. */
const sliceBytes = 262_144;
/** A file that is being written all the time is no file to send. */
const maxTries = 3;
/** A body up to here goes behind its head in one piece. */
const maxJoinedBytes = 16_384;

/** One request for a file and its response. */
export class FileStream implements UpstreamStream {
  readonly reused = false;
  readonly #server: FileServer;
  readonly #parser: RequestHeadParser;
  readonly #sink: UpstreamSink;
  /** The request was read; what comes behind it is a body, which no file needs. */
  #asked = false;
  #gone = false;
  #paused = false;
  #resumed: (() => void) | undefined;
  #buffer: Buffer | undefined;
  /** Of the response, not sent yet. */
  #head: Buffer | undefined;

  constructor(server: FileServer, parser: RequestHeadParser, sink: UpstreamSink) {
    this.#server = server;
    this.#parser = parser;
    this.#sink = sink;
  }

  /** The first is all of the head, as the front writes it. */
  write(bytes: Buffer | string): boolean {
    if (this.#asked) return true;
    this.#asked = true;
    const text = typeof bytes === "string" ? bytes : bytes.toString("latin1");
    const buffer = Buffer.from(text.replace(noHost, anyHost), "latin1");
    const head = this.#parser.parse(buffer, 0, buffer.length);
    this.#parser.reset();
    void this.#respond(head instanceof RequestHead ? head : undefined);
    return true;
  }

  /** Nothing here becomes a tunnel. */
  redirect(): void {}

  end(): void {}

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#resumed?.();
  }

  release(): void {
    this.destroy();
  }

  destroy(): void {
    this.#gone = true;
    this.#resumed?.();
  }

  async #respond(head: RequestHead | undefined): Promise<void> {
    try {
      if (head === undefined) throw new Error("The request cannot be read.");
      const query = head.target.indexOf("?");
      const path = query === -1 ? head.target : head.target.slice(0, query);
      for (let tries = 1; ; tries++) {
        const answer = await this.#server.answer(head, path);
        if (await this.#sent(answer, tries < maxTries)) return;
      }
    } catch (error) {
      if (!this.#gone) this.#sink.upstreamFailed({ reason: "reset", sent: true, cause: error as Error });
    }
  }

  /** False: the file was changed before anything was sent of it, and has another answer by now. */
  async #sent(answer: FileAnswer, mayRetry: boolean): Promise<boolean> {
    const { body } = answer;
    const files = new Set(body.flatMap((part) => (Buffer.isBuffer(part) ? [] : [part.file])));
    for (const file of files) file.retain();
    this.#head = headOf(answer);
    try {
      for (const part of body) {
        if (Buffer.isBuffer(part)) await this.#pass(part);
        else await this.#slice(part);
      }
      this.#emit(noBytes, 0);
      return true;
    } catch (error) {
      if (mayRetry && this.#head !== undefined && !this.#gone) return false;
      throw error;
    } finally {
      for (const file of files) file.release();
    }
  }

  /** What is kept in memory is nobody's to write to, and stays what it is while it is sent. */
  async #pass(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#gone; at += sliceBytes) {
      this.#emit(bytes.subarray(at, at + sliceBytes), Math.min(sliceBytes, bytes.length - at));
      await this.#flowing();
    }
  }

  async #slice({ file, start, end }: FileSlice): Promise<void> {
    for (let at = start; at < end && !this.#gone; ) {
      const buffer = this.#buffer ?? Buffer.allocUnsafeSlow(Math.min(sliceBytes, end - at));
      this.#buffer = undefined;
      const read = await file.read(buffer, at, Math.min(buffer.length, end - at));
      if (this.#gone) return;
      if (read === 0) throw new Error("The file is shorter than it was.");
      at += read;
      if (this.#emit(buffer, read)) this.#buffer = buffer;
      await this.#flowing();
    }
  }

  /** The head goes before the first bytes, once those are there. True: nothing of `bytes` is needed any more. */
  #emit(bytes: Buffer, length: number): boolean {
    const head = this.#head;
    this.#head = undefined;
    if (head === undefined) return length === 0 || this.#gone || this.#sink.upstreamBytes(bytes, 0, length);
    if (this.#gone) return true;
    if (length <= maxJoinedBytes) {
      const joined = Buffer.concat([head, bytes.subarray(0, length)]);
      this.#sink.upstreamBytes(joined, 0, joined.length);
      return true;
    }
    this.#sink.upstreamBytes(head, 0, head.length);
    return this.#gone || this.#sink.upstreamBytes(bytes, 0, length);
  }

  /** Waits while the client takes no more. */
  #flowing(): Promise<void> | undefined {
    if (!this.#paused || this.#gone) return undefined;
    return new Promise((resolve) => {
      this.#resumed = resolve;
    });
  }
}

const noBytes = Buffer.alloc(0);

/** So a request goes on whose client, of HTTP/1.0, names no host (RFC 9112 §3.2); of clients our parser takes none. No file depends on it. */
const noHost = "\r\nHost: \r\n";
const anyHost = "\r\nHost: any\r\n";

function headOf({ status, fields, length }: FileAnswer): Buffer {
  const contentLength = length === undefined ? "" : `Content-Length: ${length}\r\n`;
  return Buffer.from(
    `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${headerLines(fields)}${contentLength}\r\n`,
    "latin1",
  );
}
