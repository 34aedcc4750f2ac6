import { expect, test } from "vitest";
import { readLifeline } from "./lifeline.ts";

test("what is no line of a primary is nothing", () => {
  expect(readLifeline("pid 4711")).toEqual({ kind: "pid", value: 4_711 });
  expect(readLifeline("exit 0")).toEqual({ kind: "exit", value: 0 });
  for (const line of ["", "pid", "pid -1", "exit 1 ", "exit 99999999999", "pid 1;2"]) {
    expect(readLifeline(line)).toBeUndefined();
  }
});
