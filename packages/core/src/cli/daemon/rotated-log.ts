import { FileRotation } from "../../access-log/file-rotation.ts";
import { LineFile } from "../../access-log/line-file.ts";
import { type Clock, systemWallClock } from "../../model/clock.ts";
import { CliError } from "../cli-error.ts";

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

/**
 * The log file of a cluster in the background. Nobody ever waits for it: where the disk is full, lines are lost, and that is said when
 * there is room again. The files may be renamed or removed by others at any time.
 */
export class RotatedLog {
  readonly #options: RotatedLogOptions;
  readonly #file: LineFile;
  #lost = 0;
  #why: Error | undefined;

  constructor(options: RotatedLogOptions) {
    const { path, maxBytes, files, clock } = options;
    this.#options = options;
    const dropped = (lines: number, error: Error | undefined) => {
      this.#lost += lines;
      this.#why = error ?? this.#why;
    };
    const settings = { maxBytes, files, every: false, gzip: false } as const;
    const rotation = new FileRotation({ path, settings, clock, wallClock: systemWallClock });
    this.#file = new LineFile({ to: path, clock, dropped, rotation, maxWaitingBytes });
  }

  /** @throws CliError */
  async open(): Promise<void> {
    const { path } = this.#options;
    try {
      await this.#file.open();
    } catch (error) {
      throw new CliError(`The log file ${path} cannot be written (${(error as Error).message}).`, 1);
    }
  }

  line(text: string): void {
    if (this.#lost > 0 && this.#file.status.error === undefined) this.#tellLost();
    this.#file.add(text);
  }

  #tellLost(): void {
    const why = this.#why === undefined ? "" : ` (${this.#why.message})`;
    const lost = this.#lost;
    this.#lost = 0;
    this.#why = undefined;
    this.#file.add(`lb: ${lost} ${lost === 1 ? "line" : "lines"} could not be written${why}`);
  }

  /** Writes what waits, as far as that is possible. */
  async close(): Promise<void> {
    if (this.#lost > 0) this.#tellLost();
    await this.#file.close();
  }
}
