import { describe, expect, it } from "vitest";
import { EjectionHistory, ejectionCap } from "./ejection-history.ts";

const growth = { intervalMs: 10, baseEjectionMs: 100, maxEjectionMs: 250 };

describe("EjectionHistory", () => {
  it("grows with every ejection, up to the maximum", () => {
    const history = new EjectionHistory(growth);
    const lengths = [1, 2, 3, 4].map(() => {
      const ms = history.eject(0);
      history.recovered(0);
      return ms;
    });
    expect(lengths).toEqual([100, 200, 250, 250]);
  });

  it("shrinks by one for each good interval, never below the base", () => {
    const history = new EjectionHistory(growth);
    for (let times = 0; times < 3; times += 1) history.eject(0);
    history.recovered(1_000);
    expect(history.eject(1_019)).toBe(250);
    history.recovered(2_000);
    expect(history.eject(2_020)).toBe(200);
    history.recovered(3_000);
    expect(history.eject(9_000)).toBe(100);
  });

  it("takes no time between a return on trial and a failed trial for a good interval", () => {
    const history = new EjectionHistory(growth);
    history.eject(0);
    expect(history.eject(100_000)).toBe(200);
  });

  it("ejects for at least the base, whatever the maximum says", () => {
    expect(new EjectionHistory({ ...growth, maxEjectionMs: 1 }).eject(0)).toBe(100);
  });
});

describe("ejectionCap", () => {
  it.each([
    [0, 0.5, 0],
    [1, 0.5, 0],
    [1, 1, 0],
    [2, 0.5, 1],
    [2, 0.1, 1],
    [3, 0.5, 1],
    [4, 0.5, 2],
    [10, 0.5, 5],
    [10, 1, 9],
    [10, 0, 0],
  ])("of %i endpoints with a share of %f lets %i be out", (total, share, cap) => {
    expect(ejectionCap(total, share)).toBe(cap);
  });
});
