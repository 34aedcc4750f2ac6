import { expect, it } from "vitest";
import { plan } from "./plan.ts";

it("follows from the seed alone, and leaves none out", () => {
  const names = ["kill", "stop", "reload"] as const;
  const first = plan(names, 30, 5);
  expect(plan(names, 30, 5)).toEqual(first);
  expect(plan(names, 60, 5).slice(0, first.length)).toEqual(first);
  expect(plan(names, 30, 6)).not.toEqual(first);
  for (let round = 0; round + 3 <= first.length; round += 3) {
    expect(new Set(first.slice(round, round + 3).map(({ name }) => name)).size).toBe(3);
  }
});
