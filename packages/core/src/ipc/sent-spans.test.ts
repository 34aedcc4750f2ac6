import { expect, it, test } from "vitest";
import { readSpans } from "./sent-spans.ts";

const span = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  parentId: "00f067aa0ba902b8",
  isEntry: true,
  kind: "server",
  name: "GET",
  startMs: 1.5,
  endMs: 2,
  attributes: { "url.path": "/", "lb.attempts": 1, "lb.complete": true },
  failed: false,
};

test("spans of a worker are what it has made", () => {
  expect(readSpans(JSON.parse(JSON.stringify([span])))).toEqual([span]);
  expect(readSpans([{ ...span, more: "x" }])).toEqual([span]);
});

it.each([
  ["no list", span],
  ["no object", [1]],
  ["a trace that is none", [{ ...span, traceId: "x" }]],
  ["a parent that is none", [{ ...span, parentId: "G".repeat(16) }]],
  ["a kind that there is not", [{ ...span, kind: "boss" }]],
  ["a time that is none", [{ ...span, endMs: "2" }]],
  ["no attributes", [{ ...span, attributes: [] }]],
  ["attributes of objects", [{ ...span, attributes: { a: {} } }]],
  ["an attribute whose name ends it", [{ ...span, attributes: { 'a"': 1 } }]],
  ["too long a text", [{ ...span, name: "x".repeat(100_000) }]],
  ["too many", Array.from({ length: 2_001 }, () => span)],
])("are none with %s", (_, raw) => {
  expect(readSpans(raw)).toBe(undefined);
});
