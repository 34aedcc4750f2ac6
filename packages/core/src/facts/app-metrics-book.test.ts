import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AppFamily, AppSample, Label } from "../model/app-metrics.ts";
import { AppMetricsBook } from "./app-metrics-book.ts";

const family = (
  type: AppFamily["type"],
  name: string,
  samples: readonly AppSample[],
  aggregator = "sum",
): AppFamily => ({
  name,
  help: "h",
  type,
  aggregator,
  samples,
});
const counter = (value: number, labels: readonly Label[] = []) =>
  family("counter", "jobs_total", [{ suffix: "", labels, value }]);
const gauge = (value: number, aggregator = "sum", name = "queue") =>
  family("gauge", name, [{ suffix: "", labels: [], value }], aggregator);
const histogram = (steps: readonly (readonly [string, number])[], count: number) =>
  family("histogram", "job_seconds", [
    ...steps.map(([le, value]): AppSample => ({ suffix: "_bucket", labels: [["le", le]], value })),
    { suffix: "_bucket", labels: [["le", "+Inf"]], value: count },
    { suffix: "_sum", labels: [], value: count / 2 },
    { suffix: "_count", labels: [], value: count },
  ]);

const series = (book: AppMetricsBook, name: string, answered: readonly string[] = ["1.1", "2.1"]) =>
  book.merged(new Set(answered), 0).families.find((one) => one.name === name)?.series ?? [];

/** Of a metric without labels. */
const value = (book: AppMetricsBook, name = "jobs_total", answered?: readonly string[]) => {
  const [one] = series(book, name, answered);
  return one?.kind === "number" ? one.value : one?.count;
};

describe("counters", () => {
  test("are added up over processes, those that are gone included", () => {
    const book = new AppMetricsBook();
    book.take("1.1", 1, [counter(5)]);
    book.take("2.1", 2, [counter(7)]);
    expect(value(book)).toBe(12);
    book.ended("1.1");
    expect(value(book)).toBe(12);
    book.take("1.2", 1, [counter(1)]);
    expect(value(book)).toBe(13);
    // One that does not answer is told of as it last was.
    expect(value(book, "jobs_total", [])).toBe(13);
  });

  test("that begin anew in a process, or are taken out and put back, go on", () => {
    const book = new AppMetricsBook();
    book.take("1.1", 1, [counter(5)]);
    book.take("1.1", 1, [counter(2)]);
    expect(value(book)).toBe(7);
    book.take("1.1", 1, []);
    expect(value(book)).toBe(7);
    book.take("1.1", 1, [counter(1)]);
    expect(value(book)).toBe(8);
  });

  test("never go back, whatever becomes of the processes", () => {
    const step = fc.record({
      slot: fc.integer({ min: 1, max: 3 }),
      what: fc.constantFrom("count", "reset", "end", "tell"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const book = new AppMetricsBook();
        const counts = [0, 0, 0, 0];
        const born = [0, 1, 1, 1];
        let before = 0;
        for (const { slot, what } of steps) {
          if (what === "count") counts[slot]! += 3;
          if (what === "reset") counts[slot] = 0;
          if (what === "tell") {
            const told = [counter(counts[slot]!), histogram([["0.1", Math.floor(counts[slot]! / 2)]], counts[slot]!)];
            book.take(`${slot}.${born[slot]}`, slot, told);
          }
          if (what === "end") {
            book.ended(`${slot}.${born[slot]}`);
            born[slot]! += 1;
            counts[slot] = 0;
          }
          const now = value(book) ?? 0;
          expect(now).toBeGreaterThanOrEqual(before);
          expect(value(book, "job_seconds") ?? 0).toBe(now);
          before = now;
        }
      }),
    );
  });

  test("by labels, in whatever order they are", () => {
    const book = new AppMetricsBook();
    book.take("1.1", 1, [
      counter(1, [
        ["a", "1"],
        ["b", "2"],
      ]),
    ]);
    book.take("2.1", 2, [
      counter(2, [
        ["b", "2"],
        ["a", "1"],
      ]),
    ]);
    expect(series(book, "jobs_total")).toMatchObject([{ value: 3 }]);
  });
});

test("a histogram with other buckets after a reload: no bucket goes back, and none has more than there were", () => {
  const book = new AppMetricsBook();
  book.take("1.1", 1, [
    histogram(
      [
        ["0.1", 3],
        ["1", 8],
      ],
      10,
    ),
  ]);
  book.ended("1.1");
  book.take("1.2", 1, [
    histogram(
      [
        ["0.5", 4],
        ["1", 5],
      ],
      6,
    ),
  ]);
  expect(series(book, "job_seconds")).toMatchObject([
    {
      steps: [
        [0.1, 3],
        [0.5, 7],
        [1, 13],
      ],
      count: 16,
      sum: 8,
    },
  ]);
});

test("gauges are what their aggregator says, of those that answered", () => {
  const of = (aggregator: string) => {
    const book = new AppMetricsBook();
    book.take("1.1", 1, [gauge(2, aggregator)]);
    book.take("2.1", 2, [gauge(6, aggregator)]);
    return [value(book, "queue"), value(book, "queue", ["2.1"])];
  };
  expect(["sum", "average", "min", "max", "first", "omit", "else"].map(of)).toEqual([
    [8, 6],
    [4, 6],
    [2, 6],
    [6, 6],
    [2, 6],
    [undefined, undefined],
    [8, 6],
  ]);
});

test("what is about a process, and quantiles, have the id of the instance", () => {
  const book = new AppMetricsBook();
  const summary = family("summary", "job_seconds", [
    { suffix: "", labels: [["quantile", "0.5"]], value: 3 },
    { suffix: "_sum", labels: [], value: 9 },
    { suffix: "_count", labels: [], value: 3 },
  ]);
  const named = family("gauge", "process_open", [{ suffix: "", labels: [["id", "x"]], value: 1 }], "omit");
  book.take("2.1", 2, [gauge(2, "average", "nodejs_lag"), summary, named]);
  // While one takes the other's place.
  book.take("2.2", 2, [gauge(5, "average", "nodejs_lag"), summary]);
  const both = ["2.1", "2.2"];
  expect(series(book, "nodejs_lag", both)).toEqual([{ kind: "number", labels: [["id", "2"]], value: 5 }]);
  expect(series(book, "process_open", both)).toMatchObject([
    {
      labels: [
        ["id", "2"],
        ["exported_id", "x"],
      ],
    },
  ]);
  expect(series(book, "job_seconds", both)).toEqual([
    {
      kind: "summary",
      labels: [["id", "2"]],
      quantiles: [
        ["0.5", 3],
        ["0.5", 3],
      ].slice(0, 1),
      sum: 18,
      count: 6,
    },
  ]);
  book.ended("2.1");
  book.ended("2.2");
  expect(series(book, "job_seconds")).toMatchObject([{ quantiles: [], sum: 18, count: 6 }]);
});

test("BAD-INPUTS 186: names of ours, and more series than there is room for, are left out and counted", () => {
  const book = new AppMetricsBook();
  const labels = Array.from(
    { length: 25_000 },
    (_, at): AppSample => ({ suffix: "", labels: [["at", `${at}`]], value: 1 }),
  );
  book.take("1.1", 1, [
    family("counter", "lb_requests", [{ suffix: "", labels: [], value: 1 }]),
    family("counter", "many", labels),
  ]);
  const merged = book.merged(new Set(["1.1"]), 2);
  expect(merged.families.map(({ name, series: all }) => [name, all.length])).toEqual([["many", 20_000]]);
  expect(merged).toMatchObject({ answered: 1, late: 2, dropped: 5_001 });
});

test("BAD-INPUTS 186: as many buckets in one series as a message can hold are read in their number, not its square", () => {
  const steps = Array.from({ length: 19_000 }, (_, at) => [String((at * 7_919) % 19_000), at] as const);
  const began = performance.now();
  const book = new AppMetricsBook();
  book.take("1.1", 1, [histogram(steps, 19_000)]);
  expect(performance.now() - began).toBeLessThan(5_000);
  const [one] = series(book, "job_seconds");
  expect(one).toMatchObject({ kind: "histogram", count: 19_000 });
  expect(one?.kind === "histogram" && one.steps.every(([le], at) => le === at)).toBe(true);
});
