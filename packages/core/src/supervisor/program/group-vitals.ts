import { existsSync } from "node:fs";
import type { ProcessVitals } from "../../ipc/messages.ts";
import type { Clock } from "../../model/clock.ts";
import { type GroupUsage, procUsage, psUsage, type ReadUsage } from "./group-usage.ts";

export interface GroupVitalsOptions {
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly read?: ReadUsage;
}

interface Watched {
  readonly told: (vitals: ProcessVitals) => void;
  last: { readonly usage: GroupUsage; readonly at: number } | undefined;
}

/** Looks at even intervals at what programs use, with all that they have started, and tells of each. */
export class GroupVitals {
  readonly #options: GroupVitalsOptions;
  readonly #watched = new Map<number, Watched>();
  #read: ReadUsage | undefined;
  #looks = false;

  constructor(options: GroupVitalsOptions) {
    this.#options = options;
    this.#read = options.read;
  }

  /** Until the call that is returned. */
  watch(leader: number, told: (vitals: ProcessVitals) => void): () => void {
    this.#watched.set(leader, { told, last: undefined });
    if (!this.#looks) this.#lookSoon();
    return () => void this.#watched.delete(leader);
  }

  #lookSoon(): void {
    this.#looks = this.#watched.size > 0;
    if (this.#looks) this.#options.clock.after(this.#options.intervalMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#read ??= existsSync("/proc/self/stat") ? procUsage() : psUsage();
    const usages = await this.#read(new Set(this.#watched.keys()));
    const at = this.#options.clock.now();
    for (const [leader, usage] of usages) {
      const watched = this.#watched.get(leader);
      if (watched === undefined) continue;
      const { last } = watched;
      watched.last = { usage, at };
      if (last === undefined || at <= last.at) continue;
      // One of them that ended takes its time with it, if nobody waited for it.
      const cpu = Math.max(0, usage.cpuMs - last.usage.cpuMs) / (at - last.at);
      watched.told({ cpu, rssBytes: usage.rssBytes });
    }
    this.#lookSoon();
  }
}
