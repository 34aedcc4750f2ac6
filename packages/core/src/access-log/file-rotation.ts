import type { Clock, WallClock } from "../model/clock.ts";
import type { RotationSettings } from "../options/access-log-options.ts";
import { compress, generation, rotate } from "./rotation.ts";

export interface FileRotationOptions {
  readonly path: string;
  readonly settings: RotationSettings;
  readonly clock: Clock;
  readonly wallClock: WallClock;
}

/** Where files cannot be renamed that is tried again after this. */
const againMs = 60_000;
const periodMs = { hour: 3_600_000, day: 86_400_000 };

/** Knows when a file of lines is long or old enough to be put aside, and does that. */
export class FileRotation {
  readonly #options: FileRotationOptions;
  #bytes = 0;
  #period = 0;
  #notBefore = Number.NEGATIVE_INFINITY;
  #compressing = false;
  /** Why the last one came to nothing. */
  error: Error | undefined;

  constructor(options: FileRotationOptions) {
    this.#options = options;
  }

  /** What is written from now on is behind so many bytes, the last of which are from then. */
  opened(bytes: number, modifiedAt: number): void {
    this.#bytes = bytes;
    this.#period = this.#periodOf(bytes === 0 ? this.#options.wallClock() : modifiedAt);
  }

  wrote(bytes: number): void {
    this.#bytes += bytes;
  }

  /** One that is empty never is; while one is being compressed the next waits. */
  get due(): boolean {
    const { settings, clock, wallClock } = this.#options;
    if (this.#bytes === 0 || this.#compressing || clock.now() < this.#notBefore) return false;
    return this.#bytes >= settings.maxBytes || this.#periodOf(wallClock()) !== this.#period;
  }

  /** True: what comes next belongs in a new file. Never rejects. */
  async rotate(): Promise<boolean> {
    const { path, settings } = this.#options;
    try {
      await rotate(path, settings.files);
      this.error = undefined;
    } catch (error) {
      this.#failed(error);
      return false;
    }
    if (settings.gzip && settings.files > 1) void this.#compress(generation(path, 1));
    return true;
  }

  async #compress(path: string): Promise<void> {
    this.#compressing = true;
    await compress(path).catch((error: NodeJS.ErrnoException) => {
      // Somebody has put it elsewhere.
      if (error.code !== "ENOENT") this.#failed(error);
    });
    this.#compressing = false;
  }

  #failed(error: unknown): void {
    this.error = error as Error;
    this.#notBefore = this.#options.clock.now() + againMs;
  }

  #periodOf(time: number): number {
    const { every } = this.#options.settings;
    return every === false ? 0 : Math.floor(time / periodMs[every]);
  }
}
