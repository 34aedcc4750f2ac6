import { LineFile } from "../../access-log/line-file.ts";
import type { Clock } from "../../model/clock.ts";
import { CliError } from "../cli-error.ts";
import { rotate, sizeOf } from "./rotation.ts";

export interface RotatedLogOptions {
  readonly path: string;
  /** A file to which so much was written is put aside. */
  readonly maxBytes: number;
  /** So many there are at most, the one that is written to among them. */
  readonly files: number;
  readonly clock: Clock;
}

/** Lines that cannot be written wait up to this; what comes beyond it is lost, and counted. */
const maxWaitingBytes = 1_048_576;
/** Where files cannot be renamed that is tried again after this. */
const againMs = 60_000;

/**
 * The log file of a cluster in the background. Nobody ever waits for it: where the disk is full, lines are lost, and that is said when
 * there is room again. The files may be renamed or removed by others at any time.
 */
export class RotatedLog {
  readonly #options: RotatedLogOptions;
  readonly #file: LineFile;
  #bytes = 0;
  #lost = 0;
  #why: Error | undefined;
  #rotating = false;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(options: RotatedLogOptions) {
    const { path, clock } = options;
    this.#options = options;
    const dropped = (lines: number, error: Error | undefined) => {
      this.#lost += lines;
      this.#why = error ?? this.#why;
    };
    this.#file = new LineFile({ to: path, clock, dropped, maxWaitingBytes });
  }

  /** @throws CliError */
  async open(): Promise<void> {
    const { path } = this.#options;
    try {
      await this.#file.open();
      this.#bytes = await sizeOf(path);
    } catch (error) {
      throw new CliError(`The log file ${path} cannot be written (${(error as Error).message}).`, 1);
    }
  }

  line(text: string): void {
    if (this.#lost > 0 && this.#file.status.error === undefined) this.#tellLost();
    this.#add(text);
  }

  #tellLost(): void {
    const why = this.#why === undefined ? "" : ` (${this.#why.message})`;
    const lost = this.#lost;
    this.#lost = 0;
    this.#why = undefined;
    this.#add(`lb: ${lost} ${lost === 1 ? "line" : "lines"} could not be written${why}`);
  }

  #add(text: string): void {
    this.#file.add(text);
    this.#bytes += Buffer.byteLength(text) + 1;
    const { maxBytes, clock } = this.#options;
    if (this.#bytes < maxBytes || this.#rotating || clock.now() < this.#notBefore) return;
    this.#rotating = true;
    void this.#rotate();
  }

  /** Never rejects. */
  async #rotate(): Promise<void> {
    const { path, files, clock } = this.#options;
    this.#bytes = 0;
    try {
      await rotate(path, files);
      this.#file.reopen();
    } catch {
      this.#notBefore = clock.now() + againMs;
    }
    this.#rotating = false;
  }

  /** Writes what waits, as far as that is possible. */
  async close(): Promise<void> {
    if (this.#lost > 0) this.#tellLost();
    await this.#file.close();
  }
}
