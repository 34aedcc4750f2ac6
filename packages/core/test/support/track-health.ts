import type { HealthChange } from "../../src/health/state.ts";
import { HealthTracker } from "../../src/health/tracker.ts";
import type { FailureReason, Outcome } from "../../src/model/outcome.ts";
import type { HealthSettings } from "../../src/options/health-options.ts";
import { activeDefaults, healthDefaults } from "./default-settings.ts";
import { endpointsInSlots } from "./endpoints.ts";
import { ManualClock } from "./manual-clock.ts";

export const success: Outcome = { kind: "success" };
export const failure = (reason: FailureReason): Outcome => ({ kind: "failure", reason });
export const refused = failure("connect");
export const answered = (status: number): Outcome => ({ kind: "response", status });
export const unavailable = answered(503);
export const active = { ...activeDefaults, path: "/health" };

export function track(count: number, settings: Partial<HealthSettings> = {}) {
  const clock = new ManualClock();
  const tracker = new HealthTracker({ settings: { ...healthDefaults, ...settings }, clock });
  const all = endpointsInSlots(count);
  tracker.track(all);
  const changes: HealthChange[] = [];
  tracker.subscribe((change) => changes.push(change));
  return {
    clock,
    tracker,
    all,
    changes,
    eligible: () => tracker.eligible().map(({ id }) => id),
    stateOf: (index: number) => tracker.of(all[index]!)!.state,
    observe: (index: number, outcome: Outcome, times = 1) => {
      for (let time = 0; time < times; time += 1) tracker.observe(all[index]!, outcome);
    },
  };
}
