import fc from "fast-check";
import { expect, test } from "vitest";
import { latencyBucket } from "./latency-histogram.ts";
import { noRequests, RequestBook } from "./request-counts.ts";
import { receivedCounts, sentCounts } from "./sent-counts.ts";

const overTheWire = (raw: unknown) => JSON.parse(JSON.stringify(raw)) as unknown;

const request = {
  status: 200,
  answeredBy: "app",
  end: "complete",
  attempts: 1,
  requestBytes: 5,
  responseBytes: 7,
} as const;

test("counts arrive as they were sent", () => {
  const book = new RequestBook();
  for (const ms of [0.05, 3, 3, 250, 1_000_000]) {
    book.note({ ...request, queuedMs: ms, respondedMs: ms, endedMs: ms }, latencyBucket(ms), latencyBucket(ms));
  }
  expect(receivedCounts(overTheWire(sentCounts(book.counts)))).toEqual(book.counts);
  expect(receivedCounts(overTheWire(sentCounts(noRequests)))).toEqual(noRequests);
});

test("a moment with one request is a few numbers", () => {
  const book = new RequestBook();
  book.note({ ...request, queuedMs: 0, respondedMs: 1, endedMs: 1 }, latencyBucket(1), latencyBucket(1));
  expect(JSON.stringify(sentCounts(book.counts)).length).toBeLessThan(150);
});

test("what is no counts is nothing", () => {
  const good = overTheWire(sentCounts(noRequests)) as Record<string, unknown>;
  for (const raw of [
    null,
    5,
    {},
    { ...good, app: [1, 2] },
    { ...good, front: ["1", 0, 0, 0, 0] },
    { ...good, rest: [0, 0, 0, 0, 0, -1] },
    { ...good, rest: [0, 0, 0, 0, 0, null] },
    { ...good, times: [[0], [0]] },
    { ...good, times: [[0], [0, 1], [0]] },
    { ...good, times: [[0, 500, 1], [0], [0]] },
    { ...good, times: [[0, 0.5, 1], [0], [0]] },
  ]) {
    expect(receivedCounts(raw)).toBeUndefined();
  }
  fc.assert(fc.property(fc.anything(), (raw) => void receivedCounts(raw)));
});
