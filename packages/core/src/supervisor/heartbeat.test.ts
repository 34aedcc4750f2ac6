import { expect, it } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { Heartbeat } from "./heartbeat.ts";
import { heartbeatDefaults } from "./settings.ts";

function set() {
  const clock = new ManualClock();
  const told: number[] = [];
  const one = {
    lastBeatAt: clock.now(),
    silentFor: (ms: number) => void told.push(ms),
    excuse(now: number) {
      one.lastBeatAt = now;
      told.push(-1);
    },
  };
  const heartbeat = new Heartbeat(heartbeatDefaults, clock, () => [one]);
  return { clock, told, one, heartbeat };
}

it("tells at every look how long each has been silent", () => {
  const { clock, told, one, heartbeat } = set();
  for (let n = 0; n < 4; n += 1) clock.advance(500);
  one.lastBeatAt = clock.now();
  clock.advance(500);
  expect(told).toEqual([500, 1_000, 1_500, 2_000, 500]);
  heartbeat.stop();
  expect(clock.pending).toBe(0);
});

it("concludes nothing from a silence in which this process was not listening itself", () => {
  const { clock, told } = set();
  clock.advance(500);
  clock.jump(60_000);
  clock.advance(500);
  clock.advance(500);
  expect(told).toEqual([500, -1, 500, 1_000]);
});
