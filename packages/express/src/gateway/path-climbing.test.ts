import { describe, expect, it } from "vitest";
import { mayClimb } from "./path-climbing.ts";

describe("mayClimb", () => {
  it.each([
    "/..",
    "/../x",
    "/x/..?y",
    "/%2e%2E/x",
    "/.%2e/",
    "/x%2f..%2Fy",
    "/..%5cx",
    "\\..\\x",
    "/..;/x",
    "/x/%2e.",
    "/..%3bx",
  ])("%s may (BAD-INPUTS 57)", (path) => {
    expect(mayClimb(path)).toBe(true);
  });

  it.each(["/", "/x", "/...", "/..x", "/x..", "/x../y", "/%2e", "/.", "/x?y=/../z", "/a%20b", "/%E2%82%AC"])(
    "%s may not",
    (path) => {
      expect(mayClimb(path)).toBe(false);
    },
  );
});
