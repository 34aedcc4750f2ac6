import fc from "fast-check";
import { expect, test } from "vitest";
import { maxAppMetricsLength, readAppMetrics } from "./app-metrics.ts";

const family = { name: "a_total", help: "h", type: "counter", aggregator: "sum", samples: [["", { a: "1" }, 2]] };
const read = (...families: unknown[]) => readAppMetrics(JSON.stringify(families));

test("what an instance told", () => {
  expect(read(family)).toEqual([{ ...family, samples: [{ suffix: "", labels: [["a", "1"]], value: 2 }] }]);
});

test.each<[string, object]>([
  ["a name that is none", { name: "a b" }],
  ["a name that begins another line", { name: "a\nb 1" }],
  ["no name", { name: undefined }],
  ["a type that there is not", { type: "info" }],
  ["no samples", { samples: {} }],
])("%s: that metric is left out", (_, other) => {
  expect(read({ ...family, ...other }, family)).toHaveLength(1);
});

test.each([
  ["a number that is none", ["", {}, null]],
  ["another suffix", ["_evil 1\n", {}, 1]],
  ["a label with a bad name", ["", { 'a"': "1" }, 1]],
  ["a label that is no text", ["", { a: 1 }, 1]],
  ["too many labels", ["", Object.fromEntries(Array.from({ length: 33 }, (__, at) => [`a${at}`, "1"])), 1]],
  ["nothing", null],
])("%s: that sample is left out", (_, sample) => {
  expect(read({ ...family, samples: [sample, ...family.samples] })![0]!.samples).toHaveLength(1);
});

test("texts are cut, and too much is nothing at all", () => {
  const [long] = read({ ...family, help: "h".repeat(5_000), samples: [["", { a: "x".repeat(5_000) }, 1]] })!;
  expect([long!.help.length, long!.samples[0]!.labels[0]![1].length]).toEqual([1_024, 1_024]);
  expect(readAppMetrics(`[${" ".repeat(maxAppMetricsLength)}]`)).toBeUndefined();
});

test("whatever else is sent is nothing, or no metric, and nothing throws", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(readAppMetrics(text) ?? []).toEqual([]);
    }),
  );
});
