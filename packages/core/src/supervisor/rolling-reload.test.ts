import { expect, test } from "vitest";
import { editionOf, testSlot } from "../../test/support/test-slot.ts";
import type { ReloadError } from "./reload-error.ts";
import { ReloadError as Failure } from "./reload-error.ts";
import { type RollingReloadOptions, rollingReload } from "./rolling-reload.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A reload of one slot as a set, whose successor has passed its watch. */
async function judged(verdict: RollingReloadOptions["verdict"], cancelled?: AbortSignal) {
  const { clock, workers, slot } = testSlot({}, { edition: () => editionOf({ RELEASE: "old" }) });
  slot.start();
  workers[0]!.ready();
  const steps: string[] = [];
  const closing = new AbortController();
  const result = rollingReload({
    slots: [slot],
    settings: { parallelism: 1, maxUnavailable: 0, watchMs: 100, rollback: "set" },
    edition: editionOf({ RELEASE: "new" }),
    sparePort: async () => 9_001,
    checks: { verify: async () => {}, watch: () => () => {} },
    verdict,
    closing: closing.signal,
    cancelled,
    graceMs: 5_000,
    clock,
    progress: ({ step }) => void steps.push(step),
  }).then(
    (replaced) => ({ replaced }),
    (error: ReloadError) => ({ code: error.code, message: error.message }),
  );
  await turn();
  workers[1]?.ready();
  await turn();
  clock.advance(100);
  await turn();
  await turn();
  const serves = () => slot.endpoints.map(({ id }) => id).join();
  return { slot, workers, steps, result, closing, serves };
}

test("the old one stands by until the verdict, and is let go then", async () => {
  let pass = () => {};
  const { workers, serves, steps, result } = await judged(() => new Promise((resolve) => (pass = resolve)));
  expect([serves(), workers[0]!.asked, steps.at(-1)]).toEqual(["1.2", [], "watched"]);
  pass();
  await turn();
  expect([workers[0]!.asked, steps.at(-1)]).toEqual([["drain 5000"], "replaced"]);
  workers[0]!.observer.workerExited({ exitCode: 0, signal: null, spawnError: undefined });
  expect(await result).toEqual({ replaced: [1] });
});

test("a verdict against it takes all back", async () => {
  const failure = new Failure({ code: "LB_RELOAD_CHECK", step: "check", what: "status 500" }, 1);
  const { serves, steps, result } = await judged(() => Promise.reject(failure));
  expect(await result).toMatchObject({ code: "LB_RELOAD_CHECK" });
  expect([serves(), steps.at(-1)]).toEqual(["1.1", "rolled-back"]);
});

test("one that dies before the verdict has failed, whatever that is", async () => {
  let pass = () => {};
  const { workers, serves, result } = await judged(() => new Promise((resolve) => (pass = resolve)));
  workers[1]!.observer.workerExited({ exitCode: 1, signal: null, spawnError: undefined });
  pass();
  expect(await result).toMatchObject({ code: "LB_RELOAD_CRASHED" });
  expect(serves()).toBe("1.1");
});

test("cancelled, or closed, it does not wait for the verdict", async () => {
  const cancel = new AbortController();
  const heard = (signal: AbortSignal) =>
    new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  const one = await judged((_, signal) => heard(signal), cancel.signal);
  cancel.abort();
  expect([await one.result, one.serves()]).toEqual([
    { code: "LB_RELOAD_CANCELLED", message: expect.stringContaining("The reload failed: it was cancelled. Nothing") },
    "1.1",
  ]);
  const other = await judged((_, signal) => heard(signal));
  other.closing.abort();
  expect(await other.result).toMatchObject({ code: "LB_RELOAD_CLOSED" });
});

test("cancelled before its turn it starts nothing", async () => {
  const { workers, result } = await judged(undefined, AbortSignal.abort());
  expect(await result).toMatchObject({ code: "LB_RELOAD_CANCELLED" });
  expect(workers).toHaveLength(1);
});
