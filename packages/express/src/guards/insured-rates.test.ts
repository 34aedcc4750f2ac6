import type { LbError, RateReading, Rates } from "@lb/core";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { InsuredRates } from "./insured-rates.ts";

const rate = { points: 1, windowMs: 1_000, burst: 0 };
const reading = (remaining: number): RateReading => ({ allowed: true, remaining, retryMs: 0, resetMs: 0 });

function insured(take: Rates["take"]) {
  const clock = new ManualClock();
  const told: LbError[] = [];
  let asked = 0;
  const store: Rates = {
    take(key, of) {
      asked++;
      return take(key, of);
    },
    adjust: async () => {},
  };
  const own: Rates = { take: async () => reading(0), adjust: async () => {} };
  const rates = new InsuredRates({ store, own, patienceMs: 250, clock, failed: (error) => told.push(error) });
  return { rates, clock, told, asked: () => asked };
}

describe("InsuredRates", () => {
  it("asks the store", async () => {
    const { rates, clock, told } = insured(async () => reading(7));
    expect(await rates.take("a", rate)).toEqual(reading(7));
    expect([told, clock.pending]).toEqual([[], 0]);
  });

  it("counts alone for a second when the store fails, then asks it again", async () => {
    let works = false;
    const { rates, clock, told, asked } = insured(async () => {
      if (!works) throw new Error("away");
      return reading(7);
    });
    for (let round = 0; round < 3; round++) expect(await rates.take("a", rate)).toEqual(reading(0));
    expect(asked()).toBe(1);
    expect(told).toMatchObject([{ code: "LB_RATE_STORE", cause: { message: "away" } }]);
    works = true;
    clock.advance(999);
    expect(await rates.take("a", rate)).toEqual(reading(0));
    clock.advance(1);
    expect(await rates.take("a", rate)).toEqual(reading(7));
  });

  it("does not wait for one that says nothing", async () => {
    const { rates, clock, told, asked } = insured(() => new Promise(() => {}));
    const waiting = [rates.take("a", rate), rates.take("b", rate)];
    clock.advance(250);
    expect(await Promise.all(waiting)).toEqual([reading(0), reading(0)]);
    expect(await rates.take("c", rate)).toEqual(reading(0));
    expect([asked(), told.length]).toEqual([2, 2]);
  });
});
