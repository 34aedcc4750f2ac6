import { expect, it } from "vitest";
import { Shelf } from "./shelf.ts";

it("drops what was put there longest ago, by count and by weight", () => {
  const dropped: string[] = [];
  const shelf = new Shelf<string>({ maxCount: 3, maxWeight: 10 }, (value) => dropped.push(value));
  for (const name of ["a", "b", "c"]) shelf.put(name, name, 1);
  shelf.put("a", "A", 1);
  shelf.put("d", "d", 1);
  expect(dropped).toEqual(["a", "b"]);
  shelf.put("e", "e", 9);
  expect(dropped).toEqual(["a", "b", "c", "A"]);
  expect([shelf.size, shelf.weight, shelf.get("e")]).toEqual([2, 10, "e"]);
});

it("does not keep what is heavier than all it may hold", () => {
  const dropped: string[] = [];
  const shelf = new Shelf<string>({ maxCount: 3, maxWeight: 10 }, (value) => dropped.push(value));
  shelf.put("a", "a", 11);
  expect([dropped, shelf.size, shelf.weight]).toEqual([["a"], 0, 0]);
});
