import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { DeadlineWheel, type Expiring } from "./deadline-wheel.ts";

class Entry implements Expiring {
  deadlineTick = 0;
  heldTick = 0;
  readonly firedAt: number[] = [];
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  expired(): void {
    this.firedAt.push(this.#clock.now());
  }
}

test("an entry expires once, never early and at most two ticks late", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 50 }), (delays) => {
      const clock = new ManualClock();
      const wheel = new DeadlineWheel(clock, 50, 64);
      const entries = delays.map((ms) => {
        const entry = new Entry(clock);
        wheel.set(entry, ms);
        return { entry, ms };
      });
      clock.advance(21_000);
      for (const { entry, ms } of entries) {
        expect(entry.firedAt).toHaveLength(1);
        expect(entry.firedAt[0]).toBeGreaterThanOrEqual(ms);
        expect(entry.firedAt[0]).toBeLessThanOrEqual(ms + 150);
      }
    }),
    { seed: 1, numRuns: 100 },
  );
});

test("a deadline that is put off, brought forward or cleared counts in its last form only", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.option(fc.integer({ min: 0, max: 8_000 }))), {
        minLength: 1,
        maxLength: 30,
      }),
      (moves) => {
        const clock = new ManualClock();
        const wheel = new DeadlineWheel(clock, 50, 16);
        const entry = new Entry(clock);
        let due: number | undefined;
        let expected = 0;
        for (const [waitMs, delay] of moves) {
          clock.advance(waitMs);
          // Within the tolerance of two ticks either is right; such a draw tells nothing and is passed over.
          if (due !== undefined && clock.now() >= due) {
            fc.pre(clock.now() > due + 150);
            expected++;
            due = undefined;
          }
          if (delay === null) wheel.clear(entry);
          else wheel.set(entry, delay);
          due = delay === null ? undefined : clock.now() + delay;
        }
        clock.advance(10_000);
        if (due !== undefined) expected++;
        expect(entry.firedAt).toHaveLength(expected);
      },
    ),
    { seed: 2, numRuns: 300 },
  );
});

test("a wheel with nothing to wait for holds no timer", () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  expect(clock.pending).toBe(0);
  wheel.set(new Entry(clock), 200);
  expect(clock.pending).toBe(1);
  clock.advance(1_000);
  expect(clock.pending).toBe(0);
});

test("an entry that is cleared is let go at once, not when its deadline would have been", () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const [gone, stays] = [new Entry(clock), new Entry(clock)];
  wheel.set(gone, 60_000);
  wheel.clear(gone);
  clock.advance(100);
  expect(clock.pending).toBe(0);
  wheel.set(stays, 60_000);
  wheel.set(gone, 60_000);
  wheel.stop();
  wheel.clear(stays);
  wheel.set(gone, 100);
  clock.advance(1_000);
  expect([gone.firedAt.length, stays.firedAt.length]).toEqual([1, 0]);
  expect(clock.pending).toBe(0);
});

test("what expires may move and clear its neighbours", () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock, 50, 16);
  const fired: string[] = [];
  const entry = (name: string, act: () => void): Expiring => ({
    deadlineTick: 0,
    heldTick: 0,
    expired: () => {
      fired.push(name);
      act();
    },
  });
  const cleared = entry("cleared", () => {});
  const putOff: Expiring = entry("put off", () => {});
  const again: Expiring = entry("again", () => {
    if (fired.filter((name) => name === "again").length < 3) wheel.set(again, 50 * 15);
  });
  const first = entry("first", () => {
    wheel.clear(cleared);
    wheel.set(putOff, 1_000);
  });
  for (const one of [first, cleared, putOff, again]) wheel.set(one, 100);
  clock.advance(300);
  expect(fired).toEqual(["first", "again"]);
  clock.advance(5_000);
  expect(fired.sort()).toEqual(["again", "again", "again", "first", "put off"]);
  expect(clock.pending).toBe(0);
});

test("deadlines that are set by those that expire cost one timer, as all others", () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock, 50, 16);
  const entries = Array.from({ length: 20 }, () => new Entry(clock));
  for (const entry of entries) {
    const expired = entry.expired.bind(entry);
    entry.expired = () => {
      expired();
      wheel.set(entry, 100);
    };
    wheel.set(entry, 100);
  }
  for (let n = 0; n < 100; n++) {
    clock.advance(50);
    expect(clock.pending).toBe(1);
  }
  expect(entries[0]!.firedAt.length).toBeGreaterThan(20);
});
