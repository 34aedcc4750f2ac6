import { stat } from "node:fs/promises";
import type { CertificateFacts } from "../../model/certificate-facts.ts";
import type { Clock, Timer } from "../../model/clock.ts";
import type { LbError } from "../../model/errors.ts";
import type { CertificateStore } from "./certificate-store.ts";

export interface CertificateWatchOptions {
  readonly store: CertificateStore;
  readonly clock: Clock;
  readonly renewed: (certificates: readonly CertificateFacts[]) => void;
  /** The old ones serve on. Told once for the same reason. */
  readonly failed: (error: LbError) => void;
}

/** How often the files are looked at, in milliseconds. */
export const watchMs = 5_000;

/**
 * Reads certificates anew when their files have changed. It looks at what their paths lead to, now and then, instead of
 * waiting to be told: so a file that is written, renamed over, or reached by a symlink that was swapped (certbot's `live/`,
 * Kubernetes' `..data`) is the same to it, on file systems that tell nobody as well.
 */
export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  /** Undefined: what they are like is told already, and not known here. */
  #seen: string | undefined;
  #timer: Timer | undefined;
  #stopped = false;
  /** Reading failed at the last look, which may have come between two files. */
  #failedOnce = false;
  #told = "";

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
  }

  /** Resolves when it knows the files as they are now. */
  async begin(): Promise<void> {
    this.#seen = await this.#look();
    this.#lookLater();
  }

  /** The store was given others: they are read once more at the next look, lest a change between be missed. */
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
      this.#renewLocal();
      const found = await this.#look();
      if (this.#stopped) return;
      if (found !== this.#seen) this.#reread(found);
      this.#lookLater();
    });
  }

  /** What cannot be made anew serves on; it is tried again at every look. */
  #renewLocal(): void {
    try {
      this.#options.store.renewLocal();
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
    const { store, renewed } = this.#options;
    try {
      store.reread();
    } catch (error) {
      if (this.#failedOnce) this.#tellFailure(error as LbError);
      this.#failedOnce = true;
      return;
    }
    const isNews = this.#seen !== undefined;
    this.#seen = found;
    this.#failedOnce = false;
    this.#told = "";
    if (isNews) renewed(store.facts);
  }

  /** What tells one state of the files from another. */
  async #look(): Promise<string> {
    const looks = this.#options.store.files.map(async (file) => {
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
