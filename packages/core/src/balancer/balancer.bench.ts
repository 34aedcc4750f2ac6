import { createRequire } from "node:module";
import { test } from "vitest";
import { endpointsInSlots } from "../../test/support/endpoints.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import type { Outcome } from "../model/outcome.ts";
import type { StrategyName } from "../strategies/index.ts";

// Loaded by Node itself: Vitest's module runner makes a getter of every import, which costs about as much as a pick.
const load = createRequire(import.meta.url);
const { Balancer } = load("./balancer.ts") as typeof import("./balancer.ts");
const { HealthTracker } = load("../health/tracker.ts") as typeof import("../health/tracker.ts");
const { balancerDefaults, healthDefaults } = load(
  "../../test/support/default-settings.ts",
) as typeof import("../../test/support/default-settings.ts");
const { systemClock } = load("../model/clock.ts") as typeof import("../model/clock.ts");
const { resolveStrategy, strategies } = load("../strategies/index.ts") as typeof import("../strategies/index.ts");

/** Each sample is this many pairs of `acquire` and `release`, so that the harness costs nothing per pair. */
const PAIRS = 1_000;

const success: Outcome = { kind: "success", latencyMs: 3 };
const requests = Array.from({ length: PAIRS }, (_, index) => ({ clientAddress: `10.0.${index >> 8}.${index & 255}` }));

for (const count of [4, 100, 10_000]) {
  for (const name of Object.keys(strategies) as StrategyName[]) {
    test(`${PAIRS} × acquire + release: ${name}, ${count} endpoints`, async ({ bench }) => {
      const balancer = new Balancer({
        strategy: resolveStrategy(name, { random: seededRandom(1) }),
        health: new HealthTracker({ settings: healthDefaults, clock: systemClock }),
        clock: systemClock,
        ...balancerDefaults,
      });
      balancer.update(endpointsInSlots(count));
      await bench(`${name} / ${count}`, () => {
        for (const request of requests) {
          const lease = balancer.acquire(request);
          if (lease.kind === "lease") lease.release(success);
        }
      }).run();
      balancer.close();
    });
  }
}
