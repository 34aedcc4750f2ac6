import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { soleValue, withoutPairs } from "./pair-list.ts";

const runs = { seed: 20_240_605, numRuns: 2_000 } as const;

/** The same by splitting, which is slow and plain. */
function split(header: string) {
  return header.split(";").map((element) => {
    const equals = element.indexOf("=");
    const trim = (text: string) => text.replace(/^[ \t]+|[ \t]+$/g, "");
    return equals === -1
      ? { element: trim(element), name: undefined, value: "" }
      : { element: trim(element), name: trim(element.slice(0, equals)), value: trim(element.slice(equals + 1)) };
  });
}

/** Texts in which separators, blanks, names like ours and near misses of it are everywhere. */
const headers = fc
  .array(fc.constantFrom("lb", "lb=", "=", ";", "; ", " ", "\t", "l", "b", "lblb", "xlb=1", "a=1", "é", "lb =", '"'), {
    maxLength: 14,
  })
  .map((parts) => parts.join(""));

describe("soleValue", () => {
  test.each([
    ["lb=1", "1"],
    ["a=0; lb=1; b=2", "1"],
    ["a=0;lb=1;b=2", "1"],
    ["a=0; lb = 1 ; b=2", "1"],
    ["lb=1;", "1"],
    ["lb=", ""],
    ["lb=a=b", "a=b"],
    ["a=lb=1", undefined],
    ["a=0", undefined],
    ["xlb=1", undefined],
    ["lbx=1", undefined],
    ["lb", undefined],
    ["LB=1", undefined],
    ["a=x lb=1", undefined],
    ["", undefined],
    ["lb=1; lb=2", undefined],
    ["lb=1; a=0; lb=1", undefined],
  ])("%j has %j", (header, value) => {
    expect(soleValue(header, "lb", ";")).toBe(value);
  });

  test("finds what splitting the list finds", () => {
    fc.assert(
      fc.property(headers, (header) => {
        const found = split(header).filter(({ name }) => name === "lb");
        expect(soleValue(header, "lb", ";")).toBe(found.length === 1 ? found[0]!.value : undefined);
      }),
      runs,
    );
  });

  test("looks at nothing in front of the list's beginning", () => {
    expect(soleValue("/lb=1?a=2", "lb", "&", 6)).toBeUndefined();
    expect(soleValue("/&lb=1?lb=2", "lb", "&", 7)).toBe("2");
    expect(soleValue("/x?lb=2&lb=3", "lb", "&", 3)).toBeUndefined();
    expect(soleValue("/x?", "lb", "&", 3)).toBeUndefined();
  });
});

describe("withoutPairs", () => {
  test.each([
    ["lb=1", ""],
    ["lb=1;", ""],
    [" lb=1 ", ""],
    ["a=0; lb=1; b=2", "a=0; b=2"],
    ["lb=1; b=2", "b=2"],
    ["a=0; lb=1", "a=0"],
    ["lb=1; a=0; lb=2; lb = 3; b=2; lb=", "a=0; b=2"],
    ["lb=1; lb=2", ""],
    ["a=0; xlb=1; lbx=2", "a=0; xlb=1; lbx=2"],
    ["a=0;b=2;lb=1;c=3", "a=0;b=2;c=3"],
  ])("%j becomes %j", (header, left) => {
    expect(withoutPairs(header, "lb", ";")).toBe(left);
  });

  test("leaves exactly the other pairs, in their order", () => {
    fc.assert(
      fc.property(headers, (header) => {
        const left = withoutPairs(header, "lb", ";");
        const expected = split(header).filter(({ name }) => name !== "lb");
        const texts = (elements: ReturnType<typeof split>) =>
          elements.map(({ element }) => element).filter((element) => element !== "");
        expect(texts(split(left))).toEqual(texts(expected));
        if (expected.length === split(header).length) expect(left).toBe(header);
      }),
      runs,
    );
  });
});

test.each([
  ["blanks", "lb".padEnd(8_000) + ";".padEnd(8_000)],
  ["a name over and over", "lb ".repeat(5_000)],
  ["a name that overlaps itself", "lb=".repeat(5_000)],
  ["separators", ";".repeat(15_000)],
  ["our pair over and over", "lb=1; ".repeat(2_500)],
])("BAD-INPUTS 88: takes linear time over a huge header of %s", (_, header) => {
  // Quadratic steps over 10 × 16 KB would be 2.5e10 of them: half a minute, where this takes milliseconds.
  const huge = header.repeat(10);
  const startedAt = performance.now();
  soleValue(huge, "lb", ";");
  withoutPairs(huge, "lb", ";");
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
