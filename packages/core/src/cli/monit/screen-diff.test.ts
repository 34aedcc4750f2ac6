import fc from "fast-check";
import { expect, test } from "vitest";
import { difference, rendered } from "./screen-diff.ts";

/** A terminal that knows how to place the cursor, and letters. */
function applied(screen: readonly string[], text: string): string[] {
  const next = [...screen];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what it is for
  for (const [, row, line] of text.matchAll(/\u001b\[(\d+);1H([^\u001b]*)/g)) next[Number(row) - 1] = line!;
  return next;
}

test("writes those lines alone that differ, and the screen shows the next frame then", () => {
  const screen = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(screen, screen, (before, next) => {
      const text = difference(before, next);
      expect(applied(before, text)).toEqual(next);
      const changed = next.filter((line, row) => line !== before[row]).length;
      expect(text.split("H").length - 1).toBe(changed);
    }),
  );
});

test("without colours, what is bold, dim or selected is so all the same", () => {
  const line = [
    { text: "a", style: "bad" },
    { text: "b", style: "selected" },
    { text: "c", style: "good" },
  ] as const;
  expect(rendered(line, { colours: true })).toBe("\u001b[31ma\u001b[0m\u001b[7mb\u001b[0m\u001b[32mc\u001b[0m");
  expect(rendered(line, { colours: false })).toBe("\u001b[1ma\u001b[0m\u001b[7mb\u001b[0mc");
});
