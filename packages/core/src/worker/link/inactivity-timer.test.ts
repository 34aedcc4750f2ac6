import { expect, it } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { InactivityTimer } from "./inactivity-timer.ts";

function timer() {
  const clock = new ManualClock();
  const firedAt: number[] = [];
  return { clock, firedAt, timer: new InactivityTimer(clock, () => firedAt.push(clock.now())) };
}

it("fires once per silence, counted from the last activity", () => {
  const { clock, firedAt, timer: inactivity } = timer();
  inactivity.set(100);
  for (let i = 0; i < 5; i++) {
    clock.advance(60);
    inactivity.active();
  }
  expect(firedAt).toEqual([]);
  clock.advance(1_000);
  expect(firedAt).toEqual([400]);
  inactivity.active();
  clock.advance(1_000);
  expect(firedAt).toEqual([400, 1_400]);
});

it("keeps one pending call however much happens", () => {
  const { clock, firedAt, timer: inactivity } = timer();
  inactivity.set(1_000);
  for (let i = 0; i < 10_000; i++) {
    clock.advance(0.05);
    inactivity.active();
    if (i % 10 === 0) {
      inactivity.set(0);
      inactivity.set(1_000);
    }
    expect(clock.pending).toBe(1);
  }
  clock.advance(999);
  expect(firedAt).toEqual([]);
  clock.advance(2);
  expect(firedAt).toHaveLength(1);
});

it("takes a shorter time at once, and a longer one too", () => {
  const { clock, firedAt, timer: inactivity } = timer();
  inactivity.set(10_000);
  inactivity.set(100);
  clock.advance(100);
  expect(firedAt).toEqual([100]);
  inactivity.set(500);
  inactivity.set(1_000);
  clock.advance(999);
  expect(firedAt).toEqual([100]);
  clock.advance(1);
  expect(firedAt).toEqual([100, 1_100]);
});

it("is silent at 0 and once cancelled", () => {
  const { clock, firedAt, timer: inactivity } = timer();
  inactivity.set(100);
  inactivity.set(0);
  inactivity.active();
  clock.advance(1_000);
  inactivity.set(100);
  inactivity.cancel();
  clock.advance(1_000);
  expect(firedAt).toEqual([]);
  expect(clock.pending).toBe(0);
});
