import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { Outcome } from "../model/outcome.ts";
import { PeakEwma } from "./peak-ewma.ts";
import { ReportedLoad, type ReportedRequests } from "./reported-load.ts";

/** Books that keep everything, and the places taken besides. */
class Books {
  readonly load = new ReportedLoad(this);
  open = 0;
  readonly ends: Record<string, number> = {};
  readonly order: string[] = [];
  readonly latencies: number[] = [];
  waiting = 0;

  begun(count: number): void {
    expect(count).toBeGreaterThan(0);
    this.open += count;
  }

  ended(outcome: Outcome, count: number): void {
    expect(count).toBeGreaterThan(0);
    for (let n = 0; n < count; n++) this.#end(outcome);
  }

  /** A connection is sent and has arrived. */
  hand(): void {
    this.open++;
    let released = false;
    this.load.adopt({
      release: (outcome) => {
        expect(released).toBe(false);
        released = true;
        this.#end(outcome);
      },
    });
  }

  #end(outcome: Outcome): void {
    this.open--;
    const name = endOf(outcome);
    this.ends[name] = (this.ends[name] ?? 0) + 1;
    this.order.push(name);
    if ("latencyMs" in outcome) this.latencies.push(outcome.latencyMs!);
  }

  unanswered(count: number): void {
    this.waiting = count;
  }
}

function endOf(outcome: Outcome): string {
  if (outcome.kind === "response") return String(outcome.status);
  return outcome.kind === "failure" ? outcome.reason : outcome.kind;
}

const nothing: ReportedRequests = {
  inFlight: 0,
  unanswered: 0,
  succeeded: 0,
  errors: [],
  reset: 0,
  cancelled: 0,
  meanLatencyMs: 0,
  maxLatencyMs: 0,
};

test("a request on a connection that was handed is booked once, by the place taken for it", () => {
  const books = new Books();
  books.hand();
  books.load.apply({ ...nothing, inFlight: 1 });
  expect(books.open).toBe(1);
  books.load.apply({ ...nothing, succeeded: 1, meanLatencyMs: 5, maxLatencyMs: 5 });
  expect(books.open).toBe(0);
  expect(books.ends).toEqual({ success: 1 });
});

test("requests that follow on the connection are booked as they are reported", () => {
  const books = new Books();
  books.load.apply({ ...nothing, inFlight: 2, unanswered: 1, succeeded: 3, errors: [[503, 1]] });
  expect([books.open, books.waiting]).toEqual([2, 1]);
  expect(books.ends).toEqual({ success: 3, 503: 1 });
});

test("each status is booked as what it was, those that failed spread among the others", () => {
  const books = new Books();
  const errors = [
    [404, 4],
    [500, 2],
  ] as const;
  books.load.apply({ ...nothing, succeeded: 4, errors, reset: 2 });
  expect(books.ends).toEqual({ success: 4, 404: 4, 500: 2, reset: 2 });
  const good = new Set(["success", "404"]);
  const run = books.order.map((end) => (good.has(end) ? " " : "x")).join("");
  expect(run).not.toContain("xxx");
});

test("sum and peak of the response times are as reported; a server error has none", () => {
  const books = new Books();
  books.load.apply({
    ...nothing,
    succeeded: 2,
    errors: [
      [404, 2],
      [500, 7],
    ],
    meanLatencyMs: 10,
    maxLatencyMs: 31,
  });
  expect(books.latencies).toEqual([3, 3, 3, 31]);
});

test("a connection that brought no request gives its place back", () => {
  const books = new Books();
  books.hand();
  books.load.apply(nothing);
  expect(books.open).toBe(0);
  expect(books.ends).toEqual({ cancelled: 1 });
});

test("what is open when the worker dies ends as broken off", () => {
  const books = new Books();
  books.hand();
  books.load.apply({ ...nothing, inFlight: 3 });
  books.hand();
  books.load.abandon();
  expect(books.open).toBe(0);
  expect(books.ends).toEqual({ reset: 4 });
});

test("the books always show what the worker has in flight and every end it has reported", () => {
  const amount = fc.nat({ max: 20 });
  const step = fc.record({
    handed: amount,
    inFlight: amount,
    succeeded: amount,
    badGateway: amount,
    missing: amount,
    reset: amount,
    cancelled: amount,
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const books = new Books();
      const sums = { success: 0, 404: 0, 502: 0, reset: 0 };
      let cancelled = 0;
      for (const { handed, badGateway, missing, ...report } of steps) {
        for (let n = 0; n < handed; n++) books.hand();
        const errors = [
          [404, missing],
          [502, badGateway],
        ] as const;
        books.load.apply({ ...report, errors, unanswered: 0, meanLatencyMs: 1, maxLatencyMs: 1 });
        sums.success += report.succeeded;
        sums[404] += missing;
        sums[502] += badGateway;
        sums.reset += report.reset;
        cancelled += report.cancelled;
        expect(books.open).toBe(report.inFlight);
        expect(books.load.open).toBe(report.inFlight);
      }
      const { success = 0, 404: missing = 0, 502: badGateway = 0, reset = 0 } = books.ends;
      expect({ success, 404: missing, 502: badGateway, reset }).toEqual(sums);
      expect(books.ends["cancelled"] ?? 0).toBeGreaterThanOrEqual(cancelled);
    }),
    { seed: 3, numRuns: 300 },
  );
});

test("a peak EWMA fed by reports stays near one that sees every response", () => {
  const decayMs = 10_000;
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.double({ min: 0.1, max: 1_000, noNaN: true }), { minLength: 1, maxLength: 20 }), {
        minLength: 1,
        maxLength: 20,
      }),
      (windows) => {
        const clock = new ManualClock();
        const exact = new PeakEwma(decayMs, clock);
        const books = new Books();
        const fed = new PeakEwma(decayMs, clock);
        for (const [index, latencies] of windows.entries()) {
          for (const latency of latencies) {
            clock.advance(100 / latencies.length);
            exact.observe(latency);
          }
          books.latencies.length = 0;
          const mean = latencies.reduce((sum, latency) => sum + latency, 0) / latencies.length;
          const report = { ...nothing, succeeded: latencies.length, meanLatencyMs: mean };
          books.load.apply({ ...report, maxLatencyMs: Math.max(...latencies) });
          for (const latency of books.latencies) fed.observe(latency);
          // In a window of a hundredth of the time constant at most a hundredth of the highest value is forgotten.
          expect(Math.abs(fed.value() - exact.value())).toBeLessThan((index + 1) * 0.01 * 1_000);
        }
      },
    ),
    { seed: 4, numRuns: 200 },
  );
});
