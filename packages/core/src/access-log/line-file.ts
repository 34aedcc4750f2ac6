import { close, constants, fstat, open, stat, write } from "node:fs";
import { promisify } from "node:util";
import type { Clock, Timer } from "../model/clock.ts";
import type { FileRotation } from "./file-rotation.ts";

export interface LineFileOptions {
  /** A path, or a descriptor that is open, and stays so. */
  readonly to: string | number;
  readonly clock: Clock;
  /** Lines were lost. */
  readonly dropped: (lines: number, error: Error | undefined) => void;
  /** Of a path; undefined: others see to that. */
  readonly rotation?: FileRotation | undefined;
  /** Default: 8 MiB. */
  readonly maxWaitingBytes?: number;
}

/** Writes lines as octets, without their end. */
export interface LineWriter<T> {
  /** No line of it takes more. */
  maxBytes(value: T): number;
  /** Returns where it ends. */
  write(value: T, bytes: Buffer, at: number): number;
}

/** How it is with a file of lines. */
export interface LineFileStatus {
  readonly written: number;
  readonly dropped: number;
  readonly waiting: number;
  /** Why nothing can be written now, or the file not be put aside. */
  readonly error: Error | undefined;
}

/** As many bytes of lines are written at once. */
const batchBytes = 65_536;
/** Longer than this no line waits to be written: under load a hundred go at once, which costs as much as one. */
const flushMs = 100;
/** A file that cannot be written, and a pipe whose reader is behind, are tried again after these. */
const retryMs = 1_000;
const againMs = 20;
/** Whether the file was moved away or removed is looked at as often as this, when something is written. */
const lookMs = 1_000;
/** Others than the group have no business with it. */
const mode = 0o640;

const lineFeed = 0x0a;

const opened = promisify(open);
const fileOf = promisify(stat);
const fileAt = promisify(fstat);
const closed = promisify(close);
const wrote = promisify(write);

/** Lines that are written together, as octets: text that waits would be copied by each collection of garbage. */
interface Batch {
  readonly bytes: Buffer;
  /** So many of them are lines, the rest is room. */
  length: number;
  /** So many of them are written. */
  at: number;
  lines: number;
}

/** In UTF-8 a character takes three octets at most, of which there are two for a pair. */
const maxOctets = 3;

/**
 * Appends lines to a file, and never has anybody wait: lines wait here for a moment, and where they cannot be written for as long as
 * there is room; then they are dropped, and counted. The file is opened anew when another one, or none, is in its place.
 */
export class LineFile {
  readonly #options: LineFileOptions;
  readonly #maxWaiting: number;
  /** The oldest first, which is being written; lines are added to the last. */
  readonly #batches: Batch[] = [];
  /** To be used again. */
  #spare: Buffer | undefined;
  #waitingBytes = 0;
  #lines = 0;
  #written = 0;
  #dropped = 0;
  #error: Error | undefined;
  #descriptor: number | undefined;
  #reopens = false;
  #lookedAt = 0;
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  #isClosing = false;
  /** The first batch is being written: nothing is added to it, even if that comes to a stop on the way. */
  #isUnderWay = false;

  constructor(options: LineFileOptions) {
    this.#options = options;
    this.#maxWaiting = options.maxWaitingBytes ?? 8_388_608;
    if (typeof options.to === "number") this.#descriptor = options.to;
  }

  get status(): LineFileStatus {
    return {
      written: this.#written,
      dropped: this.#dropped,
      waiting: this.#lines,
      error: this.#error ?? this.#options.rotation?.error,
    };
  }

  /** So that one who gave a path that cannot be is told at once. @throws Error of the system */
  async open(): Promise<void> {
    try {
      this.#descriptor ??= await this.#opened();
    } catch (error) {
      // A pipe whose reader comes later.
      if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
    }
  }

  /** A line, written where it waits. */
  addWritten<T>(writer: LineWriter<T>, value: T): void {
    if (!this.#takes(0, 1)) return;
    const batch = this.#withRoom(writer.maxBytes(value) + 1);
    this.#added(batch, writer.write(value, batch.bytes, batch.length), 1);
  }

  /** `text`: whole lines, the last without its end. */
  add(text: string, lines = 1): void {
    if (!this.#takes(text.length, lines)) return;
    const batch = this.#withRoom(text.length * maxOctets + 1);
    this.#added(batch, batch.length + batch.bytes.write(text, batch.length), lines);
  }

  #takes(length: number, lines: number): boolean {
    if (this.#waitingBytes + length <= this.#maxWaiting && !this.#isClosing) return true;
    this.#drop(lines, this.#error);
    return false;
  }

  #added(batch: Batch, end: number, lines: number): void {
    batch.bytes[end] = lineFeed;
    this.#waitingBytes += end + 1 - batch.length;
    batch.length = end + 1;
    batch.lines += lines;
    this.#lines += lines;
    if (this.#writing !== undefined) return;
    if (this.#batches.length > 1 && this.#error === undefined) this.#begin();
    else this.#timer ??= this.#options.clock.after(flushMs, this.#begin);
  }

  #withRoom(octets: number): Batch {
    const last = this.#batches.at(-1);
    // What is being written stays as it is.
    if (
      last !== undefined &&
      last.length + octets <= last.bytes.length &&
      !(this.#isUnderWay && last === this.#batches[0])
    )
      return last;
    const spare = this.#spare;
    this.#spare = undefined;
    const bytes =
      spare !== undefined && spare.length >= octets ? spare : Buffer.allocUnsafe(Math.max(batchBytes, octets));
    const batch = { bytes, length: 0, at: 0, lines: 0 };
    this.#batches.push(batch);
    return batch;
  }

  /** Another file is in its place, or will be: what comes next is written there. */
  reopen(): void {
    if (typeof this.#options.to === "string") this.#reopens = true;
  }

  /** Writes what waits, if that is possible at all. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#timer?.cancel();
    await this.#writing;
    await this.#writeAll();
    if (this.#lines > 0) this.#drop(this.#lines, this.#error);
    this.#lines = 0;
    this.#waitingBytes = 0;
    this.#batches.length = 0;
    if (typeof this.#options.to === "string" && this.#descriptor !== undefined)
      await closed(this.#descriptor).catch(ignore);
    this.#descriptor = undefined;
  }

  readonly #begin = (): void => {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#isClosing || this.#batches.length === 0) return;
      const ms = this.#error === undefined ? flushMs : isBusy(this.#error) ? againMs : retryMs;
      this.#timer ??= this.#options.clock.after(ms, this.#begin);
    });
  };

  /** Until nothing waits that fills a batch, or it cannot go on. Never rejects. */
  async #writeAll(): Promise<void> {
    try {
      for (let [batch] = this.#batches; batch !== undefined; [batch] = this.#batches) {
        const descriptor = await this.#current(batch);
        this.#isUnderWay = true;
        await this.#writeBatch(descriptor, batch);
        this.#error = undefined;
        this.#isUnderWay = false;
        this.#batches.shift();
        if (batch.bytes.length === batchBytes) this.#spare ??= batch.bytes;
        if (this.#batches.length < 2 && !this.#isClosing) return;
      }
    } catch (error) {
      this.#error = error as Error;
    }
  }

  async #writeBatch(descriptor: number, batch: Batch): Promise<void> {
    while (batch.at < batch.length) {
      const { bytesWritten } = await wrote(descriptor, batch.bytes, batch.at, batch.length - batch.at);
      batch.at += bytesWritten;
      this.#options.rotation?.wrote(bytesWritten);
      this.#waitingBytes -= bytesWritten;
    }
    this.#written += batch.lines;
    this.#lines -= batch.lines;
  }

  async #current(batch: Batch): Promise<number> {
    const { to, clock, rotation } = this.#options;
    if (typeof to === "number") return to;
    // Between two lines.
    if (batch.at === 0 && rotation?.due === true && (await rotation.rotate())) this.#reopens = true;
    const isOld = this.#descriptor !== undefined && (this.#reopens || (await this.#isElsewhere(to, this.#descriptor)));
    if (this.#descriptor !== undefined && !isOld) return this.#descriptor;
    const before = this.#descriptor;
    this.#reopens = false;
    this.#descriptor = await this.#opened().catch((error) => {
      this.#reopens = true;
      throw error;
    });
    this.#lookedAt = clock.now();
    if (before !== undefined) await closed(before).catch(ignore);
    this.#skipBegunLine();
    return this.#descriptor;
  }

  /** What was begun in another file would be half a line in this one. */
  #skipBegunLine(): void {
    const [batch] = this.#batches;
    if (batch === undefined || batch.at === 0 || batch.bytes[batch.at - 1] === lineFeed) return;
    const end = batch.bytes.indexOf(lineFeed, batch.at) + 1;
    this.#waitingBytes -= end - batch.at;
    batch.at = end;
    batch.lines -= 1;
    this.#lines -= 1;
    this.#drop(1, this.#error);
  }

  async #isElsewhere(path: string, descriptor: number): Promise<boolean> {
    const now = this.#options.clock.now();
    if (now - this.#lookedAt < lookMs) return false;
    this.#lookedAt = now;
    const [there, ours] = await Promise.all([fileOf(path).catch(() => undefined), fileAt(descriptor)]);
    return there === undefined || there.ino !== ours.ino || there.dev !== ours.dev;
  }

  /** Of a pipe nobody reads it is told at once (`ENXIO`), and none has us wait. */
  async #opened(): Promise<number> {
    const { to, rotation } = this.#options;
    const { O_APPEND, O_CREAT, O_WRONLY, O_NONBLOCK } = constants;
    const descriptor = await opened(to as string, O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK, mode);
    if (rotation !== undefined) {
      const { size, mtimeMs } = await fileAt(descriptor);
      rotation.opened(size, mtimeMs);
    }
    return descriptor;
  }

  #drop(lines: number, error: Error | undefined): void {
    this.#dropped += lines;
    this.#options.dropped(lines, error);
  }
}

function isBusy(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === "EAGAIN";
}

function ignore(): void {}
