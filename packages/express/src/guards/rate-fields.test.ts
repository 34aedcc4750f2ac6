import { describe, expect, it } from "vitest";
import { RateFields } from "./rate-fields.ts";
import type { RateHeaders } from "./rate-limit-options.ts";

const reading = { allowed: true, remaining: 5, retryMs: 0, resetMs: 2_500 };

function fields(...headers: RateHeaders[]) {
  const rate = { points: 10, windowMs: 60_000, burst: 20 };
  const made = new RateFields({ headers, name: 'a "b" é', ...rate, wallClock: () => 1_000_000 });
  return made.of(reading).map((pair) => pair.join(": "));
}

describe("RateFields", () => {
  it.each([
    [
      "draft-6",
      ["RateLimit-Policy: 10;w=60;burst=20", "RateLimit-Limit: 21", "RateLimit-Remaining: 5", "RateLimit-Reset: 3"],
    ],
    ["draft-7", ["RateLimit-Policy: 10;w=60", "RateLimit: limit=21, remaining=5, reset=3"]],
    ["draft-8", ['RateLimit-Policy: "a \\"b\\" ?";q=10;w=60', 'RateLimit: "a \\"b\\" ?";r=5;t=3']],
    ["x-ratelimit", ["X-RateLimit-Limit: 21", "X-RateLimit-Remaining: 5", "X-RateLimit-Reset: 1003"]],
  ] as const)("%s", (form, lines) => {
    expect(fields(form)).toEqual(lines);
  });

  it("takes what is a whole second but for rounding for one", () => {
    const made = new RateFields({
      headers: ["draft-7"],
      name: "a",
      points: 1,
      windowMs: 1,
      burst: 0,
      wallClock: () => 0,
    });
    expect(made.of({ ...reading, resetMs: 60_000.000_000_01 }).at(-1)![1]).toMatch(/reset=60$/);
  });

  it("says it in several ways, or not at all", () => {
    expect(fields("draft-7", "x-ratelimit")).toHaveLength(5);
    expect(fields()).toEqual([]);
  });
});
