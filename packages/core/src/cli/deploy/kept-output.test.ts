import { expect, test } from "vitest";
import { KeptOutput } from "./kept-output.ts";

test("cuts into lines, and shows of a line that is written over what it showed last", () => {
  const told: string[] = [];
  const output = new KeptOutput((line) => void told.push(line));
  output.write("one\ntw");
  output.write("o\n10%\r50%\r100%\nlast");
  output.end();
  expect([told, output.lines]).toEqual([told, ["one", "two", "100%", "last"]]);
});

test("keeps the end, and says how much there was before it", () => {
  const output = new KeptOutput(() => {});
  for (let n = 0; n < 10_000; n += 1) output.write(`line ${n} of many\n`);
  const [first, ...rest] = output.lines;
  expect(rest.at(-1)).toBe("line 9999 of many");
  expect(first).toBe(`… ${10_000 - rest.length} lines before`);
  expect(rest.join("\n").length).toBeLessThan(65_536);
});

test("a line that never ends is cut", () => {
  const output = new KeptOutput(() => {});
  output.write("x".repeat(20_000));
  output.end();
  expect(output.lines.map((line) => line.length)).toEqual([8_192, 8_192, 20_000 - 2 * 8_192]);
});
