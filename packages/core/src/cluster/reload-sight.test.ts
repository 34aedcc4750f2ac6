import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { EndpointStatus } from "../balancer/status.ts";
import { ReloadSight } from "./reload-sight.ts";

const counted = (id: string, requests: number, failures = 0, errors: Record<string, number> = {}) =>
  ({
    endpoint: { id },
    requests,
    failures,
    errors,
    latencySumMs: requests * 2,
    latencyCount: requests,
  }) as unknown as EndpointStatus;

test("those of before and those started since, from the beginning of the reload on", () => {
  const clock = new ManualClock();
  let endpoints = [counted("1.1", 100, 7), counted("2.1", 100)];
  const sight = new ReloadSight({ endpoints: () => endpoints, clock });
  sight.note({ step: "started", done: 0, total: 2 });
  sight.note({ step: "starting", instance: 1, done: 0, total: 2 });
  endpoints = [counted("1.1", 104, 7), counted("2.1", 110, 1), counted("1.2", 5, 2, { 503: 2, 404: 1, reset: 0 })];
  sight.note({ step: "canary", instance: 1, done: 0, total: 2 });
  clock.advance(250);
  expect(sight.status).toEqual({
    done: 0,
    total: 2,
    replacing: [{ instance: 1, step: "canary", forMs: 250 }],
    before: { requests: 14, failures: 1, clientErrors: 0, meanMs: 2 },
    after: { requests: 5, failures: 2, clientErrors: 1, meanMs: 2 },
  });
  // The old one is gone from the balancer; what it did stays.
  endpoints = [counted("2.1", 110, 1), counted("1.2", 9, 2)];
  sight.note({ step: "replaced", instance: 1, done: 1, total: 2 });
  expect(sight.status).toMatchObject({
    done: 1,
    replacing: [],
    before: { requests: 14 },
    after: { requests: 9 },
  });
});
