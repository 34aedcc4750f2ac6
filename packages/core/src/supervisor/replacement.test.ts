import { expect, test } from "vitest";
import { testSlot } from "../../test/support/test-slot.ts";
import { Replacement } from "./replacement.ts";
import type { Slot } from "./slot.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A replacement whose successor has taken over and is watched. */
async function watched() {
  const { clock, workers, slot } = testSlot();
  slot.start();
  workers[0]!.ready();
  const steps: string[] = [];
  const replacement = new Replacement({
    slot,
    sparePort: async () => 9_001,
    checks: { verify: async () => {}, watch: () => () => {} },
    inPlace: false,
    watchMs: 1_000,
    graceMs: 5_000,
    clock,
    progress: (step) => void steps.push(step),
  });
  const result = replacement.run();
  await turn();
  workers[1]!.ready();
  await turn();
  expect(steps).toEqual(["starting", "routed"]);
  return { clock, slot, steps, result, old: workers[0]!, successor: workers[1]! };
}

const serves = (slot: Slot) => slot.endpoints.map(({ id }) => id);

test("a successor that does well for the watch has the slot", async () => {
  const { clock, slot, steps, result } = await watched();
  clock.advance(1_000);
  expect(await result).toBeUndefined();
  expect([serves(slot), steps.at(-1)]).toEqual([["1.2"], "watched"]);
});

test("one that somebody ends by a signal has failed at once, and not when it has drained", async () => {
  const { clock, slot, steps, result, successor } = await watched();
  successor.observer.workerRetiring();
  expect(await result).toMatchObject({ code: "LB_RELOAD_CRASHED", step: "watch" });
  clock.advance(5_000);
  expect([serves(slot), successor.asked, steps.at(-1)]).toEqual([["1.1"], ["drain 10000"], "routed"]);
});

test("one that lost its channel has not passed, however long it takes to end", async () => {
  const { clock, slot, steps, result, successor, old } = await watched();
  successor.observer.workerDetached();
  clock.advance(5_000);
  await turn();
  expect(steps.at(-1)).toBe("routed");
  successor.observer.workerExited({ exitCode: null, signal: "SIGKILL", spawnError: undefined });
  expect(await result).toMatchObject({ code: "LB_RELOAD_CRASHED", what: expect.stringContaining("SIGKILL") });
  expect([serves(slot), old.asked]).toEqual([["1.1"], []]);
});
