import { expect, it, vi } from "vitest";
import { occasionalWarnings } from "./warnings.ts";

it("warns of each kind of error once a minute", () => {
  const emitted = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  let now = 0;
  const warn = occasionalWarnings(() => now);
  const backlog = Object.assign(new Error("one"), { code: "LB_HUB_BACKLOG" });
  for (const error of [backlog, backlog, new TypeError("two"), new TypeError("three")]) warn(error);
  now = 59_999;
  warn(backlog);
  now = 60_000;
  warn(backlog);
  expect(emitted.mock.calls.map(([error]) => (error as Error).message)).toEqual(["one", "two", "one"]);
  emitted.mockRestore();
});
