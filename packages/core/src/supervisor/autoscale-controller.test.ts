import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../test/support/seeded-random.ts";
import type { AutoscaleSettings } from "../options/autoscale-options.ts";
import { AutoscaleController } from "./autoscale-controller.ts";

const settings: AutoscaleSettings = {
  min: 1,
  max: 8,
  target: { metric: "eventLoopUtilization", value: 0.5 },
  intervalMs: 1_000,
  cooldownMs: 10_000,
};

/** Runs a cluster whose work, in units of one instance's whole time, is shared evenly; returns the sizes it had. */
function simulate(
  work: (second: number) => number,
  { seconds, from = 1, options = {} }: { seconds: number; from?: number; options?: Partial<AutoscaleSettings> },
) {
  const controller = new AutoscaleController({ ...settings, ...options });
  const sizes: number[] = [];
  let size = from;
  for (let second = 1; second <= seconds; second++) {
    const load = Math.min(1, work(second) / size);
    size = controller.decide({ now: second * 1_000, instances: size, serving: size, load }) ?? size;
    sizes.push(size);
  }
  return sizes;
}

function changes(sizes: readonly number[]): number {
  return sizes.filter((size, index) => index > 0 && size !== sizes[index - 1]).length;
}

describe("the size of a cluster", () => {
  it("grows with the load to where the load is on target, in steps as long as it cannot be measured", () => {
    const sizes = simulate(() => 2.4, { seconds: 30 });
    expect(sizes.slice(0, 2)).toEqual([1, 2]);
    expect(sizes.at(-1)).toBe(5);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  });

  it("does not grow for one spike", () => {
    expect(simulate((second) => (second === 10 ? 4 : 0.4), { seconds: 20 })).toEqual(Array(20).fill(1));
  });

  it("shrinks after the cooldown, and only as far as the busiest moment of it allows", () => {
    const sizes = simulate((second) => (second === 25 ? 1.3 : 0.2), { seconds: 40, from: 6 });
    expect(sizes.slice(0, 10)).toEqual(Array(10).fill(6));
    expect(sizes[11]).toBe(1);
    const later = simulate((second) => (second === 5 ? 1.3 : 0.2), { seconds: 30, from: 6 });
    expect(later[10]).toBe(3);
    expect(later.at(-1)).toBe(1);
  });

  it("stays within its bounds, and comes back into them", () => {
    expect(simulate(() => 100, { seconds: 60 }).at(-1)).toBe(8);
    expect(simulate(() => 0, { seconds: 60, from: 4, options: { min: 3 } }).at(-1)).toBe(3);
    expect(simulate(() => 0.5, { seconds: 1, from: 1, options: { min: 2 } })).toEqual([2]);
    expect(simulate(() => 9, { seconds: 1, from: 12 })).toEqual([8]);
  });

  it("counts on those that take traffic only", () => {
    const controller = new AutoscaleController(settings);
    const sample = { instances: 4, serving: 2, load: 1 };
    expect(controller.decide({ ...sample, now: 1_000 })).toBeUndefined();
    expect(controller.decide({ ...sample, now: 2_000 })).toBe(6);
    expect(controller.decide({ instances: 6, serving: 0, load: 0, now: 9_000 })).toBeUndefined();
  });

  it("gives a change by somebody else the time to show", () => {
    const controller = new AutoscaleController(settings);
    const idle = { instances: 4, serving: 4, load: 0.1 };
    controller.decide({ ...idle, now: 0 });
    controller.changed(9_000);
    expect(controller.decide({ ...idle, now: 12_000 })).toBeUndefined();
    expect(controller.decide({ ...idle, now: 19_000 })).toBe(1);
  });

  it("does not flap: a load that stays, give or take the tolerance, is settled for once and for all", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 5, noNaN: true }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer(),
        (work, from, seed) => {
          const random = seededRandom(seed);
          const noisy = () => work * (0.96 + 0.08 * random());
          const sizes = simulate(noisy, { seconds: 300, from });
          // Growth in steps to where it can be measured, then perhaps once down to what the cooldown's window shows.
          expect(changes(sizes.slice(60))).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it("follows a load that swings slowly, at most once up and once down in each swing", () => {
    const sizes = simulate((second) => 2 + 1.8 * Math.sin((second / 120) * 2 * Math.PI), { seconds: 480 });
    const turns = sizes.filter((size, index) => {
      const before = sizes.slice(0, index).findLast((other) => other !== size);
      const next = sizes.slice(index).find((other) => other !== size);
      return (
        index > 0 &&
        sizes[index - 1] !== size &&
        before !== undefined &&
        next !== undefined &&
        next > size !== size > before
      );
    });
    expect(turns.length).toBeGreaterThan(0);
    expect(turns.length).toBeLessThanOrEqual(8);
  });

  it("is never changed down sooner than the cooldown after a change, whatever the load does", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 8, noNaN: true }), { minLength: 50, maxLength: 200 }), (work) => {
        const sizes = simulate((second) => work[second - 1]!, { seconds: work.length });
        let changedAt = Number.NEGATIVE_INFINITY;
        sizes.forEach((size, index) => {
          const before = sizes[index - 1] ?? 1;
          if (size < before) expect(index - changedAt).toBeGreaterThanOrEqual(10);
          if (size > before) expect(index - changedAt).toBeGreaterThanOrEqual(3);
          if (size !== before) changedAt = index;
        });
      }),
    );
  });
});
