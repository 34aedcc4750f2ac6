import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Outcome } from "../model/outcome.ts";
import { EndpointLoad } from "./endpoint-load.ts";

const endpoint: Endpoint = {
  id: "0.1",
  slot: 0,
  incarnation: 1,
  weight: 1,
  address: { kind: "unix", path: "/run/lb/0.sock" },
};

test("a new endpoint has done nothing", () => {
  const load = new EndpointLoad(endpoint);
  expect(load.endpoint).toBe(endpoint);
  expect([load.inFlight, load.requests, load.failures, load.latencyMs()]).toEqual([0, 0, 0, 0]);
});

test("counts leases: open ones, all that began, and those that failed", () => {
  const outcome = fc.oneof<fc.Arbitrary<Outcome>[]>(
    fc.constant({ kind: "success" }),
    fc.constant({ kind: "success", latencyMs: 3 }),
    fc.constant({ kind: "failure", reason: "reset" }),
    fc.constant({ kind: "cancelled" }),
  );
  fc.assert(
    fc.property(fc.array(outcome), fc.nat({ max: 20 }), (outcomes, stillOpen) => {
      const load = new EndpointLoad(endpoint, { clock: new ManualClock(), decayMs: 1_000 });
      for (let at = 0; at < outcomes.length + stillOpen; at += 1) load.begin();
      for (const ended of outcomes) load.end(ended);
      expect(load.inFlight).toBe(stillOpen);
      expect(load.requests).toBe(outcomes.length + stillOpen);
      expect(load.failures).toBe(outcomes.filter(({ kind }) => kind === "failure").length);
    }),
    { seed: 1, numRuns: 50 },
  );
});

test("latency is that of successes, decayed to now", () => {
  const clock = new ManualClock();
  const load = new EndpointLoad(endpoint, { clock, decayMs: 1_000 });
  load.begin();
  load.end({ kind: "success", latencyMs: 40 });
  expect(load.latencyMs()).toBe(40);
  load.begin();
  load.end({ kind: "failure", reason: "timeout" });
  load.begin();
  load.end({ kind: "success" });
  expect(load.latencyMs()).toBe(40);
  clock.advance(1_000);
  expect(load.latencyMs()).toBeCloseTo(40 / Math.E, 9);
});

test("a time-out counts with the time that was waited, as it took at least so long", () => {
  const load = new EndpointLoad(endpoint, { clock: new ManualClock(), decayMs: 1_000 });
  load.begin();
  load.end({ kind: "failure", reason: "timeout", latencyMs: 500 });
  expect([load.latencyMs(), load.latencyCount, load.failures]).toEqual([500, 0, 1]);
});

test("without latency options none is measured", () => {
  const load = new EndpointLoad(endpoint);
  load.begin();
  load.end({ kind: "success", latencyMs: 40 });
  expect(load.latencyMs()).toBe(0);
});
