import type { EndpointStatus } from "../balancer/status.ts";
import type { ReloadStatus, ReplacementStatus, VersionFigures } from "../control/status.ts";
import type { Clock } from "../model/clock.ts";
import type { ReloadProgress } from "../supervisor/rolling-reload.ts";

/** What was counted of an endpoint, or of several. */
interface Counts {
  readonly requests: number;
  readonly failures: number;
  readonly clientErrors: number;
  readonly latencySumMs: number;
  readonly latencyCount: number;
}

const nothing: Counts = { requests: 0, failures: 0, clientErrors: 0, latencySumMs: 0, latencyCount: 0 };

export interface ReloadSightOptions {
  /** What the balancer counts of the group's endpoints. */
  readonly endpoints: () => readonly EndpointStatus[];
  readonly clock: Clock;
}

/** How far one reload is, and what requests come to at those that it replaces, and at those that it starts. */
export class ReloadSight {
  readonly #options: ReloadSightOptions;
  /** By endpoint id: those that were there when it began. */
  readonly #atBegin: ReadonlyMap<string, Counts>;
  /** As last seen: whoever has left the balancer since had little left to do. */
  readonly #seen = new Map<string, Counts>();
  readonly #replacing = new Map<number, Omit<ReplacementStatus, "forMs"> & { readonly since: number }>();
  #done = 0;
  #total = 0;

  constructor(options: ReloadSightOptions) {
    this.#options = options;
    this.#atBegin = new Map(options.endpoints().map((status) => [status.endpoint.id, countsOf(status)]));
  }

  note({ step, instance, done, total }: ReloadProgress): void {
    this.#see();
    this.#done = done;
    this.#total = total;
    if (instance === undefined) return;
    switch (step) {
      case "starting":
      case "canary":
      case "routed":
      case "watched":
        this.#replacing.set(instance, { instance, step, since: this.#options.clock.now() });
        return;
      case "started":
      case "replaced":
      case "rolled-back":
      case "finished":
        this.#replacing.delete(instance);
        return;
    }
  }

  get status(): ReloadStatus {
    this.#see();
    const now = this.#options.clock.now();
    const replacing = [...this.#replacing.values()].map(({ since, ...one }) => {
      return { ...one, forMs: Math.round(now - since) };
    });
    let [before, after] = [nothing, nothing];
    for (const [id, counts] of this.#seen) {
      const begin = this.#atBegin.get(id);
      if (begin === undefined) after = sum(after, counts);
      else before = sum(before, sum(counts, begin, -1));
    }
    return { done: this.#done, total: this.#total, replacing, before: figures(before), after: figures(after) };
  }

  #see(): void {
    for (const status of this.#options.endpoints()) this.#seen.set(status.endpoint.id, countsOf(status));
  }
}

function countsOf({ requests, failures, errors, latencySumMs, latencyCount }: EndpointStatus): Counts {
  const clientErrors = Object.entries(errors).reduce((sum, [error, count]) => {
    return /^4\d\d$/.test(error) ? sum + count : sum;
  }, 0);
  return { requests, failures, clientErrors, latencySumMs, latencyCount };
}

function sum(one: Counts, other: Counts, sign: 1 | -1 = 1): Counts {
  return {
    requests: one.requests + sign * other.requests,
    failures: one.failures + sign * other.failures,
    clientErrors: one.clientErrors + sign * other.clientErrors,
    latencySumMs: one.latencySumMs + sign * other.latencySumMs,
    latencyCount: one.latencyCount + sign * other.latencyCount,
  };
}

function figures({ requests, failures, clientErrors, latencySumMs, latencyCount }: Counts): VersionFigures {
  const meanMs = latencyCount === 0 ? null : Math.round((latencySumMs / latencyCount) * 1_000) / 1_000;
  return { requests, failures, clientErrors, meanMs };
}
