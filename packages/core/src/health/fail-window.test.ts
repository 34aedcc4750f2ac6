import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FailWindow } from "./fail-window.ts";

describe("FailWindow", () => {
  it("is exceeded by the first failure when one is too many", () => {
    expect(new FailWindow(1, 10).add(0)).toBe(true);
  });

  it("counts a failure exactly as old as the window", () => {
    const window = new FailWindow(2, 10);
    expect(window.add(5)).toBe(false);
    expect(window.add(15)).toBe(true);
    expect(window.add(25.001)).toBe(false);
  });

  it("forgets", () => {
    const window = new FailWindow(2, 10);
    window.add(0);
    window.clear();
    expect(window.add(1)).toBe(false);
  });

  it("agrees with counting all failures of the window", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 }),
        (max, gaps) => {
          const window = new FailWindow(max, 50);
          const times: number[] = [];
          let now = 0;
          for (const gap of gaps) {
            now += gap;
            times.push(now);
            expect(window.add(now)).toBe(times.filter((time) => now - time <= 50).length >= max);
          }
        },
      ),
    );
  });
});
