import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@lb/core/kit";
import { expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../core/test/support/manual-clock.ts";
import { StorageLock } from "./storage-lock.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "lb-lock-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Lets what waits for files go on, so far as time allows. */
async function passed(clock: ManualClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 500) {
    clock.advance(500);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** As much of it as it takes; files take their own time. */
async function passedUntil(clock: ManualClock, holds: () => boolean): Promise<void> {
  for (let times = 0; times < 5_000 && !holds(); times++) await passed(clock, 500);
  expect(holds()).toBe(true);
}

test("of many that come at once one has it at a time, and all get it", async () => {
  const directory = folder();
  const { signal } = new AbortController();
  const clock = {
    now: () => systemClock.now(),
    after: (ms: number, call: () => void) => systemClock.after(ms / 100, call),
  };
  let [inside, most, turns] = [0, 0, 0];
  await Promise.all(
    Array.from({ length: 12 }, async () => {
      const lock = await new StorageLock({ directory, clock, signal }).take();
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 3));
      expect(await lock.stands()).toBe(true);
      inside -= 1;
      turns += 1;
      await lock.release();
    }),
  );
  expect([most, turns]).toEqual([1, 12]);
  expect(readdirSync(directory).length).toBe(1);
});

test("a holder that is silent for half a minute is taken over from, by one, and finds that out", async () => {
  const directory = folder();
  const { signal } = new AbortController();
  const stopped = { now: () => 0, after: () => ({ cancel: () => {} }) };
  const silent = await new StorageLock({ directory, clock: stopped, signal }).take();
  const clock = new ManualClock();
  const got: number[] = [];
  const waiting = [1, 2, 3].map((number) =>
    new StorageLock({ directory, clock, signal }).take().then((lock) => {
      got.push(number);
      return lock;
    }),
  );
  await passed(clock, 25_000);
  expect(got).toEqual([]);
  expect(await silent.stands()).toBe(true);
  await passedUntil(clock, () => got.length === 1);
  expect(await silent.stands()).toBe(false);
  await silent.release();
  // The new holder speaks, so the others wait for as long as it takes.
  await passed(clock, 60_000);
  expect(got.length).toBe(1);
  await (await Promise.race(waiting)).release();
  await passedUntil(clock, () => got.length === 2);
  await (await waiting[got[1]! - 1]!).release();
  await passedUntil(clock, () => got.length === 3);
  await (await waiting[got[2]! - 1]!).release();
});

test("who waits stops when told to, and a folder that is gone is said", async () => {
  const directory = folder();
  const abort = new AbortController();
  const clock = new ManualClock();
  writeFileSync(join(directory, "lock.7"), "somebody");
  const waiting = new StorageLock({ directory, clock, signal: abort.signal }).take();
  await passed(clock, 1_000);
  abort.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  const { signal } = new AbortController();
  await expect(new StorageLock({ directory: join(directory, "none"), clock, signal }).take()).rejects.toMatchObject({
    code: "LB_ACME_STORAGE",
  });
});
