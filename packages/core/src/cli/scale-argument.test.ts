import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import { type ScaleArgument, scaleArgument } from "./scale-argument.ts";

const read = (...words: string[]): ScaleArgument =>
  words.reduce<ScaleArgument>((before, word) => scaleArgument(word, before), {});

test("a number, or a change, of the app's instances or of a backend's", () => {
  expect(read("3")).toEqual({ size: { to: 3 } });
  expect(read("+1")).toEqual({ size: { by: 1 } });
  expect(read("py", "-2")).toEqual({ backend: "py", size: { by: -2 } });
  expect(read("app", "4")).toEqual({ backend: "app", size: { to: 4 } });
  expect(read("py")).toEqual({ backend: "py" });
});

test.each([
  ["0"],
  ["1025"],
  ["1.5"],
  ["++1"],
  ["3", "4"],
  ["py", "ruby"],
  ["py:1", "3"],
  ["py", "3", "4"],
  ["3", "py"],
])("%s %s says neither", (...words) => {
  expect(() => read(...words)).toThrow(InvalidArgumentError);
});
