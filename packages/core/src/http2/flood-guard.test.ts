import { expect, test } from "vitest";
import { FloodGuard } from "./flood-guard.ts";

const limits = { maxResetsPerSecond: 50, maxControlFramesPerSecond: 20 };
const times = (count: number, act: () => boolean) =>
  Array.from({ length: count }, act).filter((allowed) => allowed).length;

test("resets and control frames have so many a second, ten times as many at once", () => {
  let nowMs = 0;
  const guard = new FloodGuard(limits, () => nowMs);
  expect([times(600, () => guard.reset()), times(600, () => guard.control())]).toEqual([500, 200]);
  nowMs = 1_000;
  expect([times(600, () => guard.reset()), times(600, () => guard.control())]).toEqual([50, 20]);
});

test("frames that ask for nothing are forgiven for what is of use", () => {
  const guard = new FloodGuard(limits, () => 0);
  expect(times(20_000, () => guard.idle())).toBe(10_000);
  const downloading = new FloodGuard(limits, () => 0);
  // A client that opens its windows for each kilobyte of a hundred megabytes.
  for (let frame = 0; frame < 6_000; frame++) {
    downloading.used(16_384);
    expect(times(32, () => downloading.idle())).toBe(32);
  }
});
