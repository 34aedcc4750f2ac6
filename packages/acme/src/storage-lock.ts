import { randomUUID } from "node:crypto";
import { open, readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Clock, Timer } from "@lb/core";
import { pause } from "./polling.ts";
import { unusable } from "./private-files.ts";

export interface StorageLockOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How often its holder says that it lives, in milliseconds. */
const beatMs = 5_000;

/** One that has said nothing for so long does not live. Longer than a process is likely to be held up. */
const staleMs = 30_000;

const lookMs = 500;

const released = "released";

/**
 * One process at a time, of all that share a directory, on whatever machines. A lock is a file with a number, made by whoever
 * holds it, which only one process can do; it is held by the highest number, until it is released or has been silent. So a
 * silent holder is never removed: whoever takes over makes the next number, which again only one can, and a holder that
 * wakes up finds that it is not the highest any more. Silence is measured by the clock of who waits: those of two machines
 * need not agree.
 */
export class StorageLock {
  readonly #options: StorageLockOptions;

  constructor(options: StorageLockOptions) {
    this.#options = options;
  }

  /** Waits until it is this one's turn. @throws AcmeError `LB_ACME_STORAGE`; or the signal's reason */
  async take(): Promise<HeldLock> {
    const { directory, clock, signal } = this.#options;
    try {
      for (;;) {
        const last = (await numbersIn(directory)).at(-1) ?? 0;
        if (last > 0) await this.#vacant(last);
        const held = await create(directory, last + 1);
        if (held === undefined) continue;
        // Somebody was faster by a whole turn, and has cleared away what this one saw.
        const numbers = await numbersIn(directory);
        if (numbers.at(-1) !== held.number) {
          await rm(fileOf(directory, held.number), { force: true });
          continue;
        }
        await Promise.all(numbers.slice(0, -1).map((number) => rm(fileOf(directory, number), { force: true })));
        return new HeldLock({ directory, clock, ...held });
      }
    } catch (error) {
      throw signal.aborted ? error : unusable(directory, error);
    }
  }

  /** Resolves when its holder has released it, or has been silent for too long, or it is gone. */
  async #vacant(number: number): Promise<void> {
    const { directory, clock, signal } = this.#options;
    let seen: string | undefined;
    let since = clock.now();
    for (;;) {
      const found = await readFile(fileOf(directory, number), "utf8").catch(() => undefined);
      if (found === undefined || found.trim() === released) return;
      if (found !== seen) since = clock.now();
      else if (clock.now() - since >= staleMs) return;
      seen = found;
      await pause(lookMs, clock, signal);
    }
  }
}

interface HeldLockOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly number: number;
  readonly owner: string;
}

/** It is this process's turn, until it is released or another one takes over. */
export class HeldLock {
  readonly #options: HeldLockOptions;
  #beats = 0;
  #timer: Timer;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: HeldLockOptions) {
    this.#options = options;
    this.#timer = this.#beatLater();
  }

  /** False: it was silent for too long, and another one has taken over. */
  async stands(): Promise<boolean> {
    const { directory, number } = this.#options;
    return (await numbersIn(directory).catch(() => [])).at(-1) === number;
  }

  async release(): Promise<void> {
    this.#timer.cancel();
    await this.#writing;
    await this.#write(released);
  }

  #beatLater(): Timer {
    return this.#options.clock.after(beatMs, () => {
      this.#beats += 1;
      this.#writing = this.#write(`${this.#options.owner} ${this.#beats}`);
      this.#timer = this.#beatLater();
    });
  }

  /** Into the file that it made and no other. What cannot be written is silence, and means what that means. */
  async #write(text: string): Promise<void> {
    const { directory, number } = this.#options;
    try {
      const file = await open(fileOf(directory, number), "r+");
      try {
        await file.truncate();
        await file.writeFile(text);
      } finally {
        await file.close();
      }
    } catch {
      // Said above.
    }
  }
}

function fileOf(directory: string, number: number): string {
  return join(directory, `lock.${number}`);
}

/** From the lowest on. */
async function numbersIn(directory: string): Promise<readonly number[]> {
  const found = (await readdir(directory)).flatMap((name) => {
    const [, digits] = /^lock\.(\d{1,15})$/.exec(name) ?? [];
    return digits === undefined ? [] : [Number(digits)];
  });
  return found.sort((one, other) => one - other);
}

/** Undefined: there is one with this number. */
async function create(directory: string, number: number): Promise<{ number: number; owner: string } | undefined> {
  const owner = `${hostname()} ${process.pid} ${randomUUID()}`;
  try {
    const file = await open(fileOf(directory, number), "wx", 0o600);
    try {
      await file.writeFile(owner);
    } catch (error) {
      await rm(fileOf(directory, number), { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return { number, owner };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw error;
  }
}
