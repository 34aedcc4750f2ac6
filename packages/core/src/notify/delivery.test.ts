import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { AlertFailedEvent } from "../events/cluster-event-map.ts";
import type { AlertMessage } from "../model/alert.ts";
import { Delivery } from "./delivery.ts";
import { DeliveryError } from "./messenger.ts";

const message = (id: number): AlertMessage => {
  return {
    version: 1,
    id: String(id),
    kind: "alerts",
    cluster: "",
    host: "",
    at: "",
    text: "",
    alerts: [],
    omitted: 0,
  };
};

/** Promises that are settled have been heard. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

function delivery(send: (id: string, signal: AbortSignal) => Promise<void>) {
  const clock = new ManualClock();
  const failures: AlertFailedEvent[] = [];
  const asked: [string, number][] = [];
  const one = new Delivery({
    messenger: {
      name: "somebody",
      send: ({ id }, signal) => {
        asked.push([id, clock.now()]);
        return send(id, signal);
      },
    },
    clock,
    random: () => 1,
    failed: (failure) => failures.push(failure),
  });
  return { clock, failures, asked, one };
}

test("it is tried again, more and more slowly, and told of once; then the next one's turn comes", async () => {
  let works = false;
  const { clock, failures, asked, one } = delivery(async () => {
    if (!works) throw new DeliveryError("no");
  });
  one.add(message(1));
  one.add(message(2));
  await settled();
  for (const ms of [1_000, 2_000, 4_000]) {
    clock.advance(ms);
    await settled();
  }
  works = true;
  clock.advance(8_000);
  await settled();
  const first = [0, 1_000, 3_000, 7_000, 15_000].map((at) => ["1", at]);
  expect(asked).toEqual([...first, ["2", 15_000]]);
  expect(failures).toEqual([{ target: "somebody", error: "no", retryInMs: 1_000, lost: 0 }]);
});

test("after an hour it is given up, and at once if it would never be taken", async () => {
  const { clock, failures, asked, one } = delivery(async (id) => {
    throw new DeliveryError(`no ${id}`, { isFinal: id === "2" });
  });
  one.add(message(1));
  one.add(message(2));
  await settled();
  for (let minutes = 0; minutes < 70; minutes++) {
    clock.advance(60_000);
    await settled();
  }
  expect(asked.length).toBeLessThan(30);
  expect(failures).toEqual([
    { target: "somebody", error: "no 1", retryInMs: 1_000, lost: 0 },
    { target: "somebody", error: "no 1", lost: 1 },
    { target: "somebody", error: "no 2", lost: 1 },
  ]);
});

test("FAULTS 68: who never answers has ten seconds, a hundred messages wait for him, and the rest is dropped and told", async () => {
  const aborted: unknown[] = [];
  const { clock, failures, one } = delivery(
    (_, signal) =>
      new Promise(() => {
        signal.addEventListener("abort", () => aborted.push(signal.reason));
      }),
  );
  for (let id = 1; id <= 105; id++) one.add(message(id));
  const full = { target: "somebody", error: "100 messages wait for it already", lost: 1 };
  expect(failures).toEqual([full, full, full, full, full]);
  clock.advance(10_000);
  await settled();
  expect(aborted).toHaveLength(1);
  expect(failures[5]).toMatchObject({ error: "it did not take it within 10 s", retryInMs: 1_000 });
  let ended = false;
  void one.end(2_000).then(() => {
    ended = true;
  });
  clock.advance(1);
  await settled();
  expect(ended).toBe(true);
  expect(clock.pending).toBe(0);
});
