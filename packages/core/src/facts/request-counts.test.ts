import { expect, test } from "vitest";
import { latencyBucket } from "./latency-histogram.ts";
import {
  type CountedRequest,
  failuresIn,
  noRequests,
  RequestBook,
  requestsIn,
  summedRequests,
} from "./request-counts.ts";

const request: CountedRequest = {
  status: 200,
  answeredBy: "app",
  end: "complete",
  attempts: 1,
  requestBytes: 100,
  responseBytes: 1_000,
  queuedMs: 0,
  respondedMs: 4,
  endedMs: 5,
};

function noted(...requests: readonly Partial<CountedRequest>[]) {
  const book = new RequestBook();
  for (const each of requests) {
    const whole = { ...request, ...each };
    book.note(whole, latencyBucket(whole.respondedMs ?? 0), latencyBucket(whole.endedMs ?? 0));
  }
  return book;
}

test("each request is counted once, by its class and by who answered", () => {
  const { counts } = noted(
    {},
    { status: 304 },
    { status: 101, end: "tunnel" },
    { status: 404 },
    { status: 500 },
    { status: 503, answeredBy: "front", attempts: 0 },
    { status: undefined, answeredBy: "nobody", end: "client-left", respondedMs: undefined },
    { end: "cut" },
  );
  expect(counts.app).toEqual({ "1xx": 1, "2xx": 2, "3xx": 1, "4xx": 1, "5xx": 1 });
  expect(counts.front).toEqual({ "1xx": 0, "2xx": 0, "3xx": 0, "4xx": 0, "5xx": 1 });
  expect([counts.unanswered, counts.cut, counts.left, counts.attempts]).toEqual([1, 1, 1, 7]);
  expect([counts.bytesIn, counts.bytesOut]).toEqual([800, 8_000]);
  expect([counts.firstByte.count, counts.total.count]).toEqual([7, 8]);
  expect(requestsIn(counts)).toBe(8);
  expect(failuresIn(counts)).toBe(3);
});

test("only those that waited are counted as having waited", () => {
  const { counts } = noted({}, { queuedMs: 20 }, { queuedMs: 30 });
  expect([counts.queued.count, counts.queued.sumMs]).toEqual([2, 50]);
});

test("sums are those of the parts", () => {
  const [one, other] = [noted({}, { queuedMs: 3 }), noted({ status: 502, answeredBy: "front" })];
  const sum = summedRequests([one.counts, other.counts]);
  one.add(other.counts);
  expect(one.counts).toEqual(sum);
  expect(summedRequests([noRequests, sum])).toEqual(sum);
  expect(requestsIn(sum)).toBe(3);
});

test("what a tunnel moves is added to the bytes alone", () => {
  const book = noted({ status: 101, end: "tunnel" });
  book.moved(5, 7);
  const { bytesIn, bytesOut } = book.counts;
  expect([bytesIn, bytesOut, requestsIn(book.counts)]).toEqual([105, 1_007, 1]);
});

test("what has no news is told as it was, and news as it is", () => {
  const book = new RequestBook();
  const before = book.counts;
  expect(book.counts).toBe(before);
  book.moved(1, 2);
  expect(book.counts).toMatchObject({ bytesIn: 1, bytesOut: 2 });
  book.add(book.counts);
  expect(book.counts).toMatchObject({ bytesIn: 2, bytesOut: 4 });
  expect(before).toMatchObject({ bytesIn: 0, bytesOut: 0 });
});
