import { expect, test } from "vitest";
import { charsetOf } from "./charset.ts";
import { sparkline } from "./sparkline.ts";

const every = (seconds: number, of: (second: number) => number | null) =>
  Array.from({ length: seconds }, (_, second) => ({ at: 1_000_000 + second * 1_000, value: of(second) }));
const settings = { width: 10, ms: 300_000, charset: "unicode", of: "most" } as const;

test("shows what was from nothing to the most, the latest at the right", () => {
  expect(
    sparkline(
      every(8, (second) => second),
      settings,
    ),
  ).toBe("  ▁▂▃▄▅▆▇█");
  expect(
    sparkline(
      every(8, (second) => second),
      { ...settings, charset: "ascii" },
    ),
  ).toBe("  _.:-=+*#");
  expect(
    sparkline(
      every(3, () => 0),
      settings,
    ),
  ).toBe("       ▁▁▁");
  expect(sparkline([], settings)).toBe(" ".repeat(10));
});

test("what is not nothing can be told from it, beside whatever there was", () => {
  expect(
    sparkline(
      every(10, (second) => (second === 4 ? 1_000_000 : second % 2)),
      settings,
    ),
  ).toBe("▁▂▁▂█▂▁▂▁▂");
});

test("a second without a sample is as the one before", () => {
  const late = every(8, (second) => second).filter((_, second) => second !== 5);
  expect(sparkline(late, settings)).toBe("  ▁▂▃▄▅▅▇█");
});

test("the last minutes are in it, the most or the mean of each column", () => {
  const minutes = every(290, (second) => (second === 205 ? 100 : 10));
  expect(sparkline(minutes, { ...settings, of: "most" })).toMatch(/^ {1,3}▂+█▂+$/);
  expect(sparkline(minutes, { ...settings, of: "mean" })).toMatch(/^ {1,3}▇+█▇+$/);
});

test("columns move on, and what is in them stays", () => {
  const all = every(340, (second) => Math.floor((second + 1_000) / 40) % 6);
  const [before, after] = [all.slice(0, 300), all.slice(40)].map((some) => sparkline(some, settings));
  expect(after!.trim().slice(0, -1)).toBe(before!.trim().slice(1));
});

test.each([
  [{ LANG: "de_DE.UTF-8" }, "unicode"],
  [{ LANG: "de_DE.UTF-8", LC_ALL: "C" }, "ascii"],
  [{ LANG: "", LC_CTYPE: "en_US.utf8" }, "unicode"],
  [{ TERM: "xterm" }, "unicode"],
  [{ TERM: "linux", LANG: "C.UTF-8" }, "ascii"],
] as const)("%j is %s", (env, charset) => expect(charsetOf(env)).toBe(charset));
