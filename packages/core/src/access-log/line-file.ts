import { close, constants, fstat, open, stat, write } from "node:fs";
import { promisify } from "node:util";
import type { Clock, Timer } from "../model/clock.ts";

export interface LineFileOptions {
  /** A path, or a descriptor that is open, and stays so. */
  readonly to: string | number;
  readonly clock: Clock;
  /** Lines were lost. */
  readonly dropped: (lines: number, error: Error | undefined) => void;
  /** Default: 8 MiB. */
  readonly maxWaitingBytes?: number;
}

/** How it is with a file of lines. */
export interface LineFileStatus {
  readonly written: number;
  readonly dropped: number;
  readonly waiting: number;
  /** Why nothing can be written now. */
  readonly error: Error | undefined;
}

/** Characters in which as many lines wait as are written at once. */
const batchLength = 65_536;
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

/** Lines that are written together. */
interface Batch {
  readonly bytes: Buffer;
  /** So many of them are written. */
  at: number;
  lines: number;
}

/**
 * Appends lines to a file, and never has anybody wait: lines wait here for a moment, and where they cannot be written for as long as
 * there is room; then they are dropped, and counted. The file is opened anew when another one, or none, is in its place.
 */
export class LineFile {
  readonly #options: LineFileOptions;
  readonly #maxWaiting: number;
  #text = "";
  #lines = 0;
  /** Being written: it is the first to go on. */
  #batch: Batch | undefined;
  #written = 0;
  #dropped = 0;
  #error: Error | undefined;
  #descriptor: number | undefined;
  #reopens = false;
  #lookedAt = 0;
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  #isClosing = false;

  constructor(options: LineFileOptions) {
    this.#options = options;
    this.#maxWaiting = options.maxWaitingBytes ?? 8_388_608;
    if (typeof options.to === "number") this.#descriptor = options.to;
  }

  get status(): LineFileStatus {
    const waiting = this.#lines + (this.#batch?.lines ?? 0);
    return { written: this.#written, dropped: this.#dropped, waiting, error: this.#error };
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

  /** `text`: whole lines, the last without its end. */
  add(text: string, lines = 1): void {
    if (this.#text.length + (this.#batch?.bytes.length ?? 0) + text.length > this.#maxWaiting || this.#isClosing) {
      this.#drop(lines, this.#error);
      return;
    }
    this.#text += text;
    this.#text += "\n";
    this.#lines += lines;
    if (this.#writing !== undefined) return;
    if (this.#text.length >= batchLength && this.#error === undefined) this.#begin();
    else this.#timer ??= this.#options.clock.after(flushMs, this.#begin);
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
    const lost = this.#lines + (this.#batch?.lines ?? 0);
    if (lost > 0) this.#drop(lost, this.#error);
    this.#lines = 0;
    this.#text = "";
    this.#batch = undefined;
    if (typeof this.#options.to === "string" && this.#descriptor !== undefined)
      await closed(this.#descriptor).catch(ignore);
    this.#descriptor = undefined;
  }

  readonly #begin = (): void => {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#isClosing || (this.#lines === 0 && this.#batch === undefined)) return;
      const ms = this.#error === undefined ? flushMs : isBusy(this.#error) ? againMs : retryMs;
      this.#timer ??= this.#options.clock.after(ms, this.#begin);
    });
  };

  /** Until nothing waits that fills a batch, or it cannot go on. Never rejects. */
  async #writeAll(): Promise<void> {
    try {
      const descriptor = await this.#current();
      do {
        this.#batch ??= this.#taken();
        await this.#writeBatch(descriptor, this.#batch);
        this.#batch = undefined;
        this.#error = undefined;
      } while (this.#text.length >= batchLength || (this.#isClosing && this.#lines > 0));
    } catch (error) {
      this.#error = error as Error;
    }
  }

  #taken(): Batch {
    const batch = { bytes: Buffer.from(this.#text), at: 0, lines: this.#lines };
    this.#text = "";
    this.#lines = 0;
    return batch;
  }

  async #writeBatch(descriptor: number, batch: Batch): Promise<void> {
    while (batch.at < batch.bytes.length) {
      const { bytesWritten } = await wrote(descriptor, batch.bytes, batch.at);
      batch.at += bytesWritten;
    }
    this.#written += batch.lines;
  }

  async #current(): Promise<number> {
    const { to, clock } = this.#options;
    if (typeof to === "number") return to;
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
    const batch = this.#batch;
    if (batch === undefined || batch.at === 0 || batch.bytes[batch.at - 1] === lineFeed) return;
    batch.at = batch.bytes.indexOf(lineFeed, batch.at) + 1;
    batch.lines -= 1;
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
  #opened(): Promise<number> {
    const { O_APPEND, O_CREAT, O_WRONLY, O_NONBLOCK } = constants;
    return opened(this.#options.to as string, O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK, mode);
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
