import type { Random } from "../model/random.ts";
import type { RestartOptions } from "../options/life-options.ts";

/** What to do about a worker's death. */
export type Restart =
  | { readonly kind: "restart"; readonly delayMs: number }
  /** Still retried, slowly: what broke the worker (a database, a full disk) may mend without us. */
  | { readonly kind: "crash-loop"; readonly delayMs: number; readonly deaths: number };

/** The policy of one slot. Counts deaths in a row, as Kubernetes does (`CrashLoopBackOff`), so it needs no clock. */
export interface RestartPolicy {
  /** `servedMs`: from ready to death; 0 for a worker that never was ready. */
  died(servedMs: number): Restart;
}

/**
 * Immediate restart, then exponential back-off, then a breaker. Pauses are drawn from the upper half of their value
 * ("equal jitter"), so that workers which died together of one cause do not come back in one moment.
 */
export function createRestartPolicy(options: RestartOptions, random: Random): RestartPolicy {
  let deaths = 0;
  const jittered = (ms: number) => ms / 2 + (ms / 2) * random();
  return {
    died(servedMs) {
      deaths = servedMs >= options.stableAfterMs ? 1 : deaths + 1;
      if (deaths > options.maxCrashes) {
        return { kind: "crash-loop", delayMs: jittered(options.crashLoopDelayMs), deaths };
      }
      if (deaths === 1) return { kind: "restart", delayMs: 0 };
      return { kind: "restart", delayMs: jittered(Math.min(options.maxDelayMs, options.delayMs * 2 ** (deaths - 2))) };
    },
  };
}
