import type { Clock } from "@lb/core";

/** Holds the process, as a test does that is under way. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(Math.max(0, ms), resolve, { keepAlive: true });
  });
}
