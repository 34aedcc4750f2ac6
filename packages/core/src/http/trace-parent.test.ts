import { describe, expect, it, test } from "vitest";
import { TraceContexts } from "./trace-contexts.ts";
import { parseTraceParent } from "./trace-parent.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";
const said = `00-${traceId}-${spanId}-01`;

describe("traceparent (W3C Trace Context §3.2)", () => {
  it("is read as it is defined, and as later versions may extend it", () => {
    expect(parseTraceParent(said)).toEqual({ traceId, spanId, sampled: true, text: said });
    expect(parseTraceParent(`00-${traceId}-${spanId}-00`)).toMatchObject({ sampled: false });
    // Of the flags the others are for those who know them.
    expect(parseTraceParent(`00-${traceId}-${spanId}-03`)).toMatchObject({ sampled: true });
    expect(parseTraceParent(`cc-${traceId}-${spanId}-01-what-comes`)).toMatchObject({ text: said });
    expect(parseTraceParent(`cc-${traceId}-${spanId}-01`)).toMatchObject({ text: said });
  });

  it.each([
    ["another length", said.slice(1)],
    ["upper case", said.toUpperCase()],
    ["a version that is none", `ff${said.slice(2)}`],
    ["more behind version 00", `${said}-x`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${spanId}-01`],
    ["a span of zeros", `00-${traceId}-${"0".repeat(16)}-01`],
    ["two of them", `${said}, ${said}`],
    ["no dashes", said.replaceAll("-", "_")],
    ["more without a dash", `cc-${traceId}-${spanId}-01x`],
    ["very much", `cc-${traceId}-${spanId}-01-${"x".repeat(1_000)}`],
    ["nothing", ""],
    ["none", undefined],
  ])("is none with %s", (_, value) => {
    expect(parseTraceParent(value)).toBe(undefined);
  });
});

describe("whose trace a request is part of", () => {
  test("a parent that is believed decides, and its trace goes on", () => {
    const contexts = new TraceContexts({ sample: 0, parents: "trusted" });
    expect([contexts.follows(true), contexts.follows(false)]).toEqual([true, false]);
    expect(new TraceContexts({ sample: 0, parents: "any" }).follows(false)).toBe(true);
    const { text, sampled } = contexts.next(parseTraceParent(said));
    expect(sampled).toMatchObject({ traceId, parentId: spanId });
    expect(text).toBe(`00-${traceId}-${sampled!.spanId}-01`);
    const unsampled = `00-${traceId}-${spanId}-00`;
    expect(contexts.next(parseTraceParent(unsampled))).toEqual({ text: unsampled, sampled: undefined });
  });

  test("without one, so many of a hundred are sampled, and all have ids of their own", () => {
    const contexts = new TraceContexts({ sample: 0.25, parents: "trusted" });
    const all = Array.from({ length: 20_000 }, () => contexts.next(undefined));
    const share = all.filter(({ sampled }) => sampled !== undefined).length / all.length;
    expect(share).toBeGreaterThan(0.22);
    expect(share).toBeLessThan(0.28);
    expect(new Set(all.map(({ text }) => text.slice(3, 35))).size).toBe(all.length);
    for (const { text, sampled } of all) {
      expect(parseTraceParent(text)).toMatchObject({ sampled: sampled !== undefined });
    }
    for (const [sample, isSampled] of [
      [0, false],
      [1, true],
    ] as const) {
      const { sampled } = new TraceContexts({ sample, parents: "trusted" }).next(undefined);
      expect(sampled !== undefined).toBe(isSampled);
    }
  });
});
