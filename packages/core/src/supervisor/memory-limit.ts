import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";

const bytesPerMb = 1_048_576;
/**
 * One that has too much from the start would be replaced for ever by others like it: not faster than this. Nor is one tried
 * again at each heartbeat that could not be replaced: what kept it from that is likely to last.
 */
const settleMs = 5_000;

/** Has workers replaced before the kernel's OOM killer comes, one at a time. */
export class MemoryLimit {
  readonly #limitBytes: number;
  readonly #clock: Clock;
  readonly #replace: (instance: number, rssBytes: number) => Promise<void>;
  readonly #firstSeenAt = new WeakMap<Endpoint, number>();
  #replacing = false;

  /** `replace` starts a successor and drains the worker; what it rejects with is told elsewhere. */
  constructor(limitMb: number, clock: Clock, replace: (instance: number, rssBytes: number) => Promise<void>) {
    this.#limitBytes = limitMb * bytesPerMb;
    this.#clock = clock;
    this.#replace = replace;
  }

  check(endpoint: Endpoint, rssBytes: number): void {
    const now = this.#clock.now();
    const firstSeenAt = this.#firstSeenAt.get(endpoint) ?? now;
    this.#firstSeenAt.set(endpoint, firstSeenAt);
    if (this.#replacing || rssBytes <= this.#limitBytes || now - firstSeenAt < settleMs) return;
    this.#replacing = true;
    const done = () => {
      this.#replacing = false;
    };
    this.#replace(endpoint.slot + 1, rssBytes).then(done, () => {
      done();
      this.#firstSeenAt.set(endpoint, this.#clock.now());
    });
  }
}
