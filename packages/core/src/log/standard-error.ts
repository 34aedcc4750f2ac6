import { write } from "node:fs";
import type { Clock } from "../model/clock.ts";

/** Bytes that wait for a reader; what comes beyond is dropped, and that is said. */
const maxWaitingBytes = 262_144;
/** A terminal or a pipe that takes nothing for now is asked again. */
const againMs = 50;

/**
 * Writes lines to file descriptor 2, in order and never blocking: `process.stderr` writes to pipes and files synchronously,
 * and this process is the front, which a reader that is stuck would stop with it.
 */
export class StandardError {
  readonly #clock: Clock;
  readonly #descriptor: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #writing = false;

  constructor(clock: Clock, descriptor = 2) {
    this.#clock = clock;
    this.#descriptor = descriptor;
  }

  line(text: string): void {
    const line = Buffer.from(`${text}\n`);
    if (this.#waitingBytes + line.length > maxWaitingBytes) {
      this.#lost += 1;
      return;
    }
    if (this.#lost > 0) this.#add(Buffer.from(`lb: ${this.#lost} lines could not be written\n`));
    this.#lost = 0;
    this.#add(line);
    if (!this.#writing) this.#writeNext();
  }

  #add(line: Buffer): void {
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
  }

  #writeNext(): void {
    if (this.#waiting.length === 0) {
      this.#writing = false;
      return;
    }
    this.#writing = true;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [bytes];
    write(this.#descriptor, bytes, (error, written) => this.#written(bytes, error, written));
  }

  #written(bytes: Buffer, error: NodeJS.ErrnoException | null, written: number): void {
    if (error?.code === "EAGAIN") {
      this.#clock.after(againMs, () => this.#writeNext());
      return;
    }
    // Nobody reads any more: there is nobody to tell.
    const done = error === null ? written : bytes.length;
    this.#waiting[0] = bytes.subarray(done);
    if (this.#waiting[0].length === 0) this.#waiting.shift();
    this.#waitingBytes -= done;
    this.#writeNext();
  }
}
