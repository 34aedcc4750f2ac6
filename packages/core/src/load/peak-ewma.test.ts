import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { PeakEwma } from "./peak-ewma.ts";

function average() {
  const clock = new ManualClock();
  return { clock, ewma: new PeakEwma(1_000, clock) };
}

test("0 until something was observed", () => {
  const { clock, ewma } = average();
  clock.advance(5_000);
  expect(ewma.value()).toBe(0);
});

test("a peak counts at once, and in full", () => {
  const { clock, ewma } = average();
  ewma.observe(10);
  clock.advance(3);
  ewma.observe(200);
  expect(ewma.value()).toBe(200);
});

test("in silence it falls by e per time constant", () => {
  const { clock, ewma } = average();
  ewma.observe(100);
  clock.advance(1_000);
  expect(ewma.value()).toBeCloseTo(100 / Math.E, 9);
  clock.advance(1_000);
  expect(ewma.value()).toBeCloseTo(100 / Math.E ** 2, 9);
});

test("better answers draw it down with the time constant, however many come at once", () => {
  const { clock, ewma } = average();
  ewma.observe(100);
  for (let at = 0; at < 50; at += 1) ewma.observe(20);
  expect(ewma.value()).toBe(100);
  clock.advance(1_000);
  ewma.observe(20);
  expect(ewma.value()).toBeCloseTo(20 + 80 / Math.E, 9);
  for (let at = 0; at < 100; at += 1) {
    clock.advance(100);
    ewma.observe(20);
  }
  expect(ewma.value()).toBeCloseTo(20, 1);
});

test("looking changes nothing", () => {
  const { clock, ewma } = average();
  ewma.observe(100);
  for (let at = 0; at < 10; at += 1) {
    clock.advance(100);
    ewma.value();
  }
  expect(ewma.value()).toBeCloseTo(100 / Math.E, 9);
});
