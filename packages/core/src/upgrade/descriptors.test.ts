import { expect, test } from "vitest";
import { Descriptors } from "./descriptors.ts";

test("what is written somewhere keeps its number, and all else goes around it", () => {
  const descriptors = new Descriptors([4, 7]);
  expect([30, "ipc", 4, 31, "pipe"].map((what) => descriptors.give(what as number))).toEqual([3, 5, 4, 6, 8]);
  expect(descriptors.stdio).toEqual([30, 4, "ipc", 31, 7, "pipe"]);
});

test("numbers between them are nothing", () => {
  expect(new Descriptors([6]).stdio).toEqual(["ignore", "ignore", "ignore", 6]);
  expect(new Descriptors([]).stdio).toEqual([]);
});
