import { describe, expect, test } from "vitest";
import { terminalSafe } from "./terminal-safe.ts";

const esc = "\u001b";

describe("a line of an instance on our terminal", () => {
  test.each([
    ["plain text", "GET /\tü 漢 👍", "GET /\tü 漢 👍"],
    [
      "colours, and their end",
      `${esc}[31mred${esc}[0m ${esc}[1;38;5;9mx`,
      `${esc}[31mred${esc}[0m ${esc}[1;38;5;9mx${esc}[0m`,
    ],
    ["cursor and clearing", `${esc}[2J${esc}[H${esc}[10Ayes${esc}[?25l`, "yes"],
    ["title", `${esc}]0;owned\u0007yes`, "yes"],
    ["clipboard", `${esc}]52;c;cm0gLXJm${esc}\\yes`, "yes"],
    ["hyperlink", `${esc}]8;;http://x${esc}\\yes${esc}]8;;${esc}\\`, "yes"],
    ["a string without an end", `yes${esc}]0;for ever`, "yes"],
    ["device control, answerback", `${esc}P$qm${esc}\\yes${esc}[6n${esc}Z`, "yes"],
    ["C1", "\u009b2Jyes\u009d0;title\u009c", "yes"],
    ["reset", `${esc}cyes`, "yes"],
    ["bell and backspace", "yes\u0007\b\b\bno", "yes\\x07\\x08\\x08\\x08no"],
    ["writing over", "10 %\r 50 %\r100 %", "100 %"],
    ["writing direction", "a\u202eb", "a\\u202eb"],
  ])("%s", (_, line, shown) => {
    expect(terminalSafe(line, true)).toBe(shown);
  });

  test("has no colours where ours has none", () => {
    expect(terminalSafe(`${esc}[31mred${esc}[0m`, false)).toBe("red");
  });

  test("never lets an escape but a colour pass, whatever is written", () => {
    const pieces = [esc, "[", "]", "m", "1", ";", "\\", "\u0007", "P", "x", "\u009b", " ", "\r"];
    let seed = 1;
    const next = () => (seed = (seed * 48_271) % 2_147_483_647);
    for (let n = 0; n < 20_000; n += 1) {
      const line = Array.from({ length: next() % 12 }, () => pieces[next() % pieces.length]).join("");
      const rest = terminalSafe(line, true).replace(new RegExp(`${esc}\\[[0-9;:]*m`, "g"), "");
      expect(rest, JSON.stringify(line)).not.toMatch(new RegExp(`[${esc}\u0007\u009b\r]`));
    }
  });
});
