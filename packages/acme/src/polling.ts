import type { Clock } from "@lb/core";
import { AcmeError } from "./errors.ts";

export interface PollOptions<Result> {
  /** Undefined: not yet; and after how many milliseconds the authority wants to be asked again, if it says so. */
  readonly look: () => Promise<{ readonly done: Result | undefined; readonly retryAfterMs: number | undefined }>;
  readonly what: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const firstPauseMs = 250;
const maxPauseMs = 15_000;

/** An authority that has not made up its mind by then does not at all. */
const maxPollMs = 300_000;

/** Asks again and again, less and less often. @throws AcmeError `LB_ACME_TIMEOUT` */
export async function poll<Result>({ look, what, clock, signal }: PollOptions<Result>): Promise<Result> {
  const startedAt = clock.now();
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(maxPauseMs, pauseMs * 1.5)) {
    const { done, retryAfterMs } = await look();
    if (done !== undefined) return done;
    await pause(Math.min(maxPauseMs, Math.max(pauseMs, retryAfterMs ?? 0)), clock, signal);
    if (clock.now() - startedAt > maxPollMs) {
      throw new AcmeError(
        "LB_ACME_TIMEOUT",
        `${what}: the authority did not come to an end within ${maxPollMs / 60_000} minutes.`,
      );
    }
  }
}

/** Rejects with the signal's reason. */
export function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      timer.cancel();
      reject(signal.reason as Error);
    };
    const timer = clock.after(ms, () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
