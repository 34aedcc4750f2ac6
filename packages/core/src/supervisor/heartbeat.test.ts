import { expect, it } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { Heartbeat } from "./heartbeat.ts";

const settings = { intervalMs: 1_000, outAfterMs: 1_000, killAfterMs: 2_000 };

function set() {
  const clock = new ManualClock();
  const told: string[] = [];
  const endpoint: Endpoint = {
    id: "1.1",
    slot: 0,
    incarnation: 1,
    weight: 1,
    address: { kind: "unix", path: "/run/1.1" },
  };
  const watched: Endpoint[] = [endpoint];
  const heartbeat = new Heartbeat({
    settings,
    clock,
    watched: () => watched,
    fellSilent: ({ id }, ms) => void told.push(`${id} silent for ${ms}`),
    spoke: ({ id }) => void told.push(`${id} spoke`),
    givenUp: ({ id }) => void told.push(`${id} given up`),
  });
  heartbeat.beat(endpoint);
  const look = (times: number) => {
    for (let n = 0; n < times; n += 1) clock.advance(500);
  };
  return { clock, told, endpoint, watched, heartbeat, look };
}

it("tells once that a worker is silent, and at every look that nothing is expected of it", () => {
  const { clock, told, endpoint, heartbeat, look } = set();
  look(1);
  expect([told, heartbeat.isSilent(endpoint)]).toEqual([[], false]);
  look(2);
  expect([told, heartbeat.isSilent(endpoint)]).toEqual([["1.1 silent for 1000"], true]);
  look(2);
  expect(told).toEqual(["1.1 silent for 1000", "1.1 given up", "1.1 given up"]);
  heartbeat.stop();
  expect(clock.pending).toBe(0);
});

it("tells that a silent one speaks again, and starts anew", () => {
  const { told, endpoint, heartbeat, look } = set();
  look(2);
  heartbeat.beat(endpoint);
  heartbeat.beat(endpoint);
  expect([told, heartbeat.isSilent(endpoint)]).toEqual([["1.1 silent for 1000", "1.1 spoke"], false]);
  look(1);
  expect(told).toHaveLength(2);
  look(1);
  expect(told.at(-1)).toBe("1.1 silent for 1000");
});

it("keeps what it found of one that need not speak any more, until its process is gone", () => {
  const { told, endpoint, watched, heartbeat, look } = set();
  look(2);
  watched.length = 0;
  look(10);
  expect([told.length, heartbeat.isSilent(endpoint)]).toEqual([1, true]);
  heartbeat.forget(endpoint);
  expect(heartbeat.isSilent(endpoint)).toBe(false);
});

it("concludes nothing from a silence in which this process was not listening itself", () => {
  const { clock, told, look } = set();
  look(1);
  clock.jump(60_000);
  look(1);
  expect(told).toEqual([]);
  look(2);
  expect(told).toEqual(["1.1 silent for 1000"]);
});

it("does not give up one that was told to do what silences it, until that should be done", () => {
  const { told, endpoint, heartbeat, look } = set();
  heartbeat.excuse(endpoint, 4_000);
  look(7);
  expect(told).toEqual(["1.1 silent for 1000"]);
  look(1);
  expect(told.at(-1)).toBe("1.1 given up");
  heartbeat.beat(endpoint);
  heartbeat.excuse(endpoint, 10_000);
  heartbeat.expect(endpoint);
  told.length = 0;
  look(4);
  expect(told.at(-1)).toBe("1.1 given up");
});
