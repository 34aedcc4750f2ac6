import type { HeaderList } from "../../src/http2/hpack/decoder.ts";
import { HpackDecoder } from "../../src/http2/hpack/decoder.ts";
import type { OutputBuffer } from "../../src/http2/output-buffer.ts";
import type { ErrorCode } from "../../src/http2/protocol.ts";
import { Http2Session, type SessionHost, type SessionLimits } from "../../src/http2/session.ts";
import type { Http2Stream, StreamUser } from "../../src/http2/stream.ts";
import { errorNames, type Frame, frame, preface, readFrames } from "./http2-frames.ts";

export const memoryLimits: SessionLimits = {
  maxStreams: 100,
  windowBytes: 65_535,
  connectionWindowBytes: 262_140,
  maxListBytes: 32_768,
  maxFields: 320,
  maxResetsPerSecond: 50,
  maxControlFramesPerSecond: 20,
};

/** Notes what becomes of a stream. */
export class MemoryUser implements StreamUser {
  readonly stream: Http2Stream;
  readonly list: HeaderList;
  body = "";
  trailers: string[] | undefined;
  ended = false;
  drains = 0;
  closes = 0;

  constructor(stream: Http2Stream, list: HeaderList) {
    this.stream = stream;
    this.list = list;
  }

  get fields(): string[] {
    return this.list.fields.map(({ name, value }) => `${name}: ${value}`);
  }

  streamData(buffer: Buffer, start: number, end: number): void {
    this.body += buffer.toString("latin1", start, end);
  }

  streamEnded(trailers: HeaderList | undefined): void {
    this.ended = true;
    this.trailers = trailers?.fields.map(({ name, value }) => `${name}: ${value}`);
  }

  streamDrained(): void {
    this.drains++;
  }

  streamClosed(): void {
    this.closes++;
  }
}

/** A session without a socket: what it writes is read as frames. */
export class MemorySession implements SessionHost {
  readonly session: Http2Session;
  readonly users: MemoryUser[] = [];
  readonly writes: Buffer[] = [];
  /** What it has heard, in words. */
  readonly told: string[] = [];
  nowMs = 0;
  /** Takes no DATA. */
  full = false;
  /** Whether streams are read as they open. */
  reads = true;
  #unread: Buffer = Buffer.alloc(0);
  #due = false;

  /** `opening`: what it has been sent before anything else. */
  constructor(limits: Partial<SessionLimits> = {}, opening: Buffer = Buffer.concat([preface, frame("settings")])) {
    this.session = new Http2Session(this, { ...memoryLimits, ...limits }, () => this.nowMs);
    this.receive(opening);
  }

  /** Each in a turn of its own. */
  receive(...chunks: readonly Buffer[]): this {
    for (const chunk of chunks) {
      this.session.receive(chunk);
      this.endTurn();
    }
    return this;
  }

  endTurn(): this {
    if (this.#due) {
      this.#due = false;
      this.session.flush();
    }
    return this;
  }

  /** What was written since the last time. */
  frames(): readonly Frame[] {
    this.endTurn();
    const { frames, rest } = readFrames(Buffer.concat([this.#unread, ...this.writes.splice(0)]));
    this.#unread = Buffer.from(rest);
    return frames;
  }

  /** The same in words, e.g. `rstStream 1 CANCEL`. */
  get said(): readonly string[] {
    return this.frames().map(inWords);
  }

  streamOpened(stream: Http2Stream, list: HeaderList): void {
    const user = new MemoryUser(stream, list);
    stream.user = user;
    this.users.push(user);
    if (this.reads) stream.resume();
  }

  settingsReceived(): void {
    this.told.push("settings");
  }

  pinged(): void {
    this.told.push("pinged");
  }

  goawayReceived(): void {
    this.told.push("goaway");
  }

  failed(code: ErrorCode): void {
    this.told.push(`failed: ${errorNames[code]}`);
  }

  flushDue(): void {
    this.#due = true;
  }

  write(output: OutputBuffer): boolean {
    this.writes.push(Buffer.from(output.bytes.subarray(0, output.length)));
    output.free();
    return !this.full;
  }
}

function inWords({ type, flags, stream, payload }: Frame): string {
  switch (type) {
    case "rstStream":
      return `rstStream ${stream} ${errorNames[payload.readUInt32BE(0)]}`;
    case "goaway":
      return `goaway ${payload.readUInt32BE(0)} ${errorNames[payload.readUInt32BE(4)]}`;
    case "windowUpdate":
      return `windowUpdate ${stream} ${payload.readUInt32BE(0)}`;
    case "data":
      return `data ${stream} ${payload.length}${(flags & 1) === 0 ? "" : " end"}`;
    case "headers":
    case "continuation":
      return `${type} ${stream}${(flags & 1) === 0 ? "" : " end"}`;
    default:
      return (flags & 1) === 0 ? `${type}` : `${type} ack`;
  }
}

/** A block that stands alone, as lines. */
export function blockLines(block: Buffer): string[] | undefined {
  const decoder = new HpackDecoder({ maxTableBytes: 4_096, maxListBytes: 1_000_000, maxFields: 10_000 });
  return decoder.decode(block, 0, block.length)?.fields.map(({ name, value }) => `${name}: ${value}`);
}
