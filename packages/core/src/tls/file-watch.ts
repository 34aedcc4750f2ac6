import { stat } from "node:fs/promises";
import type { Clock, Timer } from "../model/clock.ts";
import type { LbError } from "../model/errors.ts";

export interface FileWatchOptions {
  /** Which they are now. */
  readonly files: () => readonly string[];
  readonly clock: Clock;
  /** Reads them anew. @throws LbError for what cannot be used: then all stays, and it is tried again at the next look */
  readonly reread: () => void;
  /** They were read, and nobody else has told of it. */
  readonly renewed: () => void;
  /** What was read before is used on. Told once for the same reason. */
  readonly failed: (error: LbError) => void;
  /** Done before each look. @throws LbError, which is told as well */
  readonly before?: () => void;
}

/** How often the files are looked at, in milliseconds. */
export const watchMs = 5_000;

/**
 * Has certificates read anew when their files have changed. It looks at what their paths lead to, now and then, instead of
 * waiting to be told: so a file that is written, renamed over, or reached by a symlink that was swapped (certbot's `live/`,
 * Kubernetes' `..data`) is the same to it, on file systems that tell nobody as well.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  /** Undefined: what they are like is told already, and not known here. */
  #seen: string | undefined;
  #timer: Timer | undefined;
  #stopped = false;
  /** Reading failed at the last look, which may have come between two files. */
  #failedOnce = false;
  #told = "";

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /** Resolves when it knows the files as they are now. */
  async begin(): Promise<void> {
    this.#seen = await this.#look();
    this.#lookLater();
  }

  /** Others were given: they are read once more at the next look, lest a change between be missed. */
  forget(): void {
    this.#seen = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.after(watchMs, async () => {
      this.#prepare();
      const found = await this.#look();
      if (this.#stopped) return;
      if (found !== this.#seen) this.#reread(found);
      this.#lookLater();
    });
  }

  #prepare(): void {
    try {
      this.#options.before?.();
    } catch (error) {
      this.#tellFailure(error as LbError);
    }
  }

  #tellFailure(error: LbError): void {
    if (error.message === this.#told) return;
    this.#told = error.message;
    this.#options.failed(error);
  }

  #reread(found: string): void {
    try {
      this.#options.reread();
    } catch (error) {
      if (this.#failedOnce) this.#tellFailure(error as LbError);
      this.#failedOnce = true;
      return;
    }
    const isNews = this.#seen !== undefined;
    this.#seen = found;
    this.#failedOnce = false;
    this.#told = "";
    if (isNews) this.#options.renewed();
  }

  /** What tells one state of the files from another. */
  async #look(): Promise<string> {
    const looks = this.#options.files().map(async (file) => {
      try {
        const { ino, mtimeMs, size } = await stat(file);
        return `${ino} ${mtimeMs} ${size}`;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? "unreadable";
      }
    });
    return (await Promise.all(looks)).join("; ");
  }
}
