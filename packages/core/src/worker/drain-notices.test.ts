import { afterEach, expect, it } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { announceDrain, isDraining, onDrain } from "./drain-notices.ts";

const key = Symbol.for("@lb/core.drain");

afterEach(() => {
  delete (globalThis as { [key]?: unknown })[key];
});

it("tells everybody at once, waits for all of them, and only then throws", async () => {
  const told: string[] = [];
  let finish = () => {};
  onDrain(({ graceMs }) => {
    told.push(`first ${graceMs}`);
    throw new Error("cannot say goodbye");
  });
  onDrain(async () => {
    told.push("second");
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    told.push("second is done");
  });
  onDrain(() => void told.push("taken back"))();
  expect(isDraining()).toBe(false);
  const announced = announceDrain({ graceMs: 500 }, new ManualClock());
  expect(isDraining()).toBe(true);
  expect(told).toEqual(["first 500", "second"]);
  let settled = false;
  announced.then(
    () => {},
    () => {
      settled = true;
    },
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(settled).toBe(false);
  finish();
  await expect(announced).rejects.toThrow("cannot say goodbye");
  expect(told.at(-1)).toBe("second is done");
});

it("keeps two registrations of one function apart", async () => {
  let calls = 0;
  const listener = () => {
    calls += 1;
  };
  const takeBack = onDrain(listener);
  onDrain(listener);
  takeBack();
  await announceDrain({ graceMs: 1 }, new ManualClock());
  expect(calls).toBe(1);
});

it("waits no longer than the grace", async () => {
  const clock = new ManualClock();
  onDrain(() => new Promise(() => {}));
  const announced = announceDrain({ graceMs: 500 }, clock);
  clock.advance(500);
  await announced;
  expect(clock.pending).toBe(0);
});
