import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../test/support/seeded-random.ts";
import type { RestartOptions } from "../options/life-options.ts";
import { createRestartPolicy } from "./restart-policy.ts";

const options: RestartOptions = {
  delayMs: 100,
  maxDelayMs: 1_000,
  stableAfterMs: 10_000,
  maxCrashes: 6,
  crashLoopDelayMs: 30_000,
};
const longest = () => 1 - Number.EPSILON;
const shortest = () => 0;

describe("restart policy", () => {
  it("restarts at once, then doubles the pause up to its maximum, then calls it a crash loop", () => {
    const policy = createRestartPolicy(options, longest);
    const pauses = Array.from({ length: 6 }, () => policy.died(0)).map((restart) => {
      expect(restart.kind).toBe("restart");
      return Math.round(restart.delayMs);
    });
    expect(pauses).toEqual([0, 100, 200, 400, 800, 1_000]);
    expect(policy.died(0)).toMatchObject({ kind: "crash-loop", deaths: 7 });
    expect(policy.died(9_999)).toMatchObject({ kind: "crash-loop", deaths: 8 });
  });

  it("draws each pause from the upper half of its value", () => {
    const policy = createRestartPolicy(options, shortest);
    policy.died(0);
    expect(policy.died(0)).toEqual({ kind: "restart", delayMs: 50 });
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 2, max: 50 }), (seed, deaths) => {
        const seeded = createRestartPolicy(options, seededRandom(seed));
        for (let death = 1; death < deaths; death += 1) seeded.died(0);
        const { kind, delayMs } = seeded.died(0);
        const full = kind === "crash-loop" ? 30_000 : Math.min(1_000, 100 * 2 ** (deaths - 2));
        expect(delayMs).toBeGreaterThanOrEqual(full / 2);
        expect(delayMs).toBeLessThanOrEqual(full);
      }),
    );
  });

  it("starts a new count when a stable worker dies, also out of a crash loop", () => {
    const policy = createRestartPolicy(options, longest);
    for (let death = 0; death < 20; death += 1) policy.died(0);
    expect(policy.died(10_000)).toEqual({ kind: "restart", delayMs: 0 });
    expect(policy.died(0)).toMatchObject({ kind: "restart" });
  });
});
