import { once } from "node:events";
import { emitKeypressEvents, type Key } from "node:readline";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { keyOf } from "./keys.ts";

test.each([
  ["\u001b[A", "up"],
  ["\u001bOB", "down"],
  ["\u001b[5~", "pageup"],
  ["\u001b[H", "home"],
  ["\t", "tab"],
  ["\u001b[Z", "shift-tab"],
  ["\r", "enter"],
  ["\n", "enter"],
  ["\u007f", "backspace"],
  ["\u0003", "ctrl-c"],
  ["\u001a", "ctrl-z"],
  ["R", "R"],
  ["+", "+"],
  ["ß", "ß"],
  ["\u001b[11~", undefined],
  ["\u001bx", undefined],
])("%j is %s", async (bytes, key) => {
  const input = new PassThrough();
  emitKeypressEvents(input);
  const heard = once(input, "keypress");
  input.write(bytes);
  const [text, what] = (await heard) as [string | undefined, Key];
  expect(keyOf(text, what)).toBe(key);
});
