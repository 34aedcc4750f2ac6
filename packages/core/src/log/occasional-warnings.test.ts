import { expect, it, vi } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { occasionalWarnings } from "./occasional-warnings.ts";

it("warns of each kind of error once a minute", () => {
  const emitted = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const clock = new ManualClock();
  const warn = occasionalWarnings(clock);
  const backlog = Object.assign(new Error("one"), { code: "LB_HUB_BACKLOG" });
  for (const error of [backlog, backlog, new TypeError("two"), new TypeError("three")]) warn(error);
  clock.advance(59_999);
  warn(backlog);
  clock.advance(1);
  warn(backlog);
  expect(emitted.mock.calls.map(([error]) => (error as Error).message)).toEqual(["one", "two", "one"]);
  emitted.mockRestore();
});
