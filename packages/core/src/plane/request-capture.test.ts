import { expect, test } from "vitest";
import { endpointsInSlots } from "../../test/support/endpoints.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { FinishedRequest } from "../front/traffic-observer.ts";
import { backendEndpointId } from "../model/backend-endpoint-id.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { RequestCapture } from "./request-capture.ts";

const [first, second] = endpointsInSlots(2).map((endpoint, slot) => ({ ...endpoint, id: `${slot + 1}.1` })) as [
  Endpoint,
  Endpoint,
];

/** As far as it is looked at. */
function finished(endedMs: number, of: Partial<FinishedRequest> = {}): FinishedRequest {
  return {
    client: { remoteAddress: "192.0.2.1", encrypted: false, listener: 0 },
    request: { route: "", method: "GET", target: "/a?token=secret" } as FinishedRequest["request"],
    status: 200,
    answeredBy: "app",
    end: "complete",
    endpoint: first,
    attempts: 1,
    requestBytes: 10,
    responseBytes: 100,
    startedAt: 0,
    queuedMs: 0,
    leasedMs: 0.123,
    respondedMs: endedMs - 1,
    endedMs,
    ...of,
  } as FinishedRequest;
}

function set() {
  const clock = new ManualClock();
  return { clock, capture: new RequestCapture(clock, () => 50_000) };
}

test("keeps the hundred slowest, the slowest first, and counts all", async () => {
  const { clock, capture } = set();
  capture.requestFinished(finished(9_999));
  const found = capture.slowest(1_000, {});
  for (let n = 0; n < 500; n++) capture.requestFinished(finished((n * 37) % 500));
  clock.advance(1_000);
  capture.requestFinished(finished(9_999));
  const { ms, requests, slowest } = await found;
  expect([ms, requests, slowest.length]).toEqual([1_000, 500, 100]);
  expect(slowest.map(({ endedMs }) => endedMs)).toEqual(Array.from({ length: 100 }, (_, n) => 499 - n));
  expect(slowest[0]).toMatchObject({ at: 49_501, leasedMs: 0.12, respondedMs: 498 });
});

test("tells nothing of what is behind a path, and by whom it was answered", async () => {
  const { clock, capture } = set();
  const found = capture.slowest(1_000, {});
  const remote = { ...first, id: backendEndpointId("api", "http://10.0.0.1:80") };
  capture.requestFinished(finished(3));
  capture.requestFinished(finished(2, { endpoint: remote }));
  const nobody = { endpoint: undefined, status: undefined, leasedMs: undefined, respondedMs: undefined } as const;
  capture.requestFinished(finished(1, { ...nobody, answeredBy: "nobody", end: "client-left" }));
  clock.advance(1_000);
  const { slowest } = await found;
  expect(slowest.map(({ path, instance, status }) => [path, instance, status])).toEqual([
    ["/a", "1", 200],
    ["/a", "api http://10.0.0.1:80", 200],
    ["/a", null, null],
  ]);
  expect(slowest[2]).toMatchObject({ leasedMs: null, respondedMs: null });
});

test("of one instance alone, beside a capture of all; and nothing is kept when both are over", async () => {
  const { clock, capture } = set();
  const [one, all] = [capture.slowest(1_000, { slot: 1 }), capture.slowest(2_000, {})];
  capture.requestFinished(finished(1));
  capture.requestFinished(finished(2, { endpoint: second }));
  capture.requestFinished(finished(3, { endpoint: { ...second, id: backendEndpointId("py", "http://127.0.0.1:9") } }));
  clock.advance(2_000);
  expect((await one).slowest.map(({ endedMs }) => endedMs)).toEqual([2]);
  expect((await all).requests).toBe(3);
});
