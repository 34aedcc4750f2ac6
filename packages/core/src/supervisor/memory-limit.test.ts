import { expect, it } from "vitest";
import { endpointsInSlots } from "../../test/support/endpoints.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { MemoryLimit } from "./memory-limit.ts";

const mb = 1_048_576;

it("replaces one at a time, and none that has just come", async () => {
  const clock = new ManualClock();
  const replaced: string[] = [];
  let finish = () => {};
  const limit = new MemoryLimit(100, clock, (instance, rssBytes) => {
    replaced.push(`${instance}: ${rssBytes / mb}`);
    return new Promise((resolve) => {
      finish = resolve;
    });
  });
  const [one, other] = endpointsInSlots(2) as [
    ReturnType<typeof endpointsInSlots>[0],
    ReturnType<typeof endpointsInSlots>[0],
  ];
  const check = () => {
    limit.check(one, 200 * mb);
    limit.check(other, 300 * mb);
  };
  check();
  expect(replaced).toEqual([]);
  clock.advance(5_000);
  check();
  check();
  expect(replaced).toEqual(["1: 200"]);
  finish();
  await Promise.resolve();
  await Promise.resolve();
  limit.check(other, 300 * mb);
  expect(replaced).toEqual(["1: 200", "2: 300"]);
});

it("tries again after a while where one could not be replaced", async () => {
  const clock = new ManualClock();
  let tried = 0;
  const limit = new MemoryLimit(100, clock, async () => {
    tried += 1;
    throw new Error("the new version is broken");
  });
  const [one] = endpointsInSlots(1);
  const heartbeat = async () => {
    limit.check(one!, 200 * mb);
    await Promise.resolve();
    await Promise.resolve();
    clock.advance(1_000);
  };
  for (let n = 0; n < 10; n += 1) await heartbeat();
  expect(tried).toBe(1);
  for (let n = 0; n < 5; n += 1) await heartbeat();
  expect(tried).toBe(2);
});

it("leaves those alone that stay within the limit", () => {
  const clock = new ManualClock();
  const limit = new MemoryLimit(100, clock, () => expect.fail());
  const [one] = endpointsInSlots(1);
  for (let n = 0; n < 10; n += 1) {
    limit.check(one!, 100 * mb);
    clock.advance(1_000);
  }
});
