import fc from "fast-check";
import { expect, test } from "vitest";
import { blockLines } from "../../../test/support/memory-http2.ts";
import { HpackEncoder } from "./encoder.ts";

const encoder = new HpackEncoder();

test.each([
  [200, "88"],
  [204, "89"],
  [404, "8d"],
  [500, "8e"],
  [201, "0803323031"],
])("status %i", (status, hex) => {
  const block = encoder.status(status).take();
  expect(block.toString("hex")).toBe(hex);
  expect(blockLines(block)).toEqual([`:status: ${status}`]);
});

test("names of the static table go by their index", () => {
  expect(encoder.field("age", "1").field("www-authenticate", "x").field("x", "").take().toString("hex")).toBe(
    "0f060131" + "0f2e0178" + "00017800",
  );
});

test("what is written is what is read, whatever its length", () => {
  const text = fc.oneof(
    fc.string(),
    fc.integer({ min: 0, max: 40_000 }).map((length) => "v".repeat(length)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("age", "x-y", "set-cookie", "n".repeat(300)), text)), (fields) => {
      const latin1 = fields.map(([name, value]) => [name, Buffer.from(value).toString("latin1")] as const);
      for (const [name, value] of latin1) encoder.field(name, value);
      expect(blockLines(encoder.take())).toEqual(latin1.map(([name, value]) => `${name}: ${value}`));
    }),
    { numRuns: 50 },
  );
});
