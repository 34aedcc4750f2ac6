import { expect, it } from "vitest";
import { Listeners } from "./listeners.ts";

it("tells everybody of everything in order, until they leave", () => {
  const listeners = new Listeners<number>();
  const heard: string[] = [];
  const leave = listeners.add((event) => heard.push(`a${event}`));
  listeners.add((event) => heard.push(`b${event}`));
  listeners.emit([1, 2]);
  leave();
  listeners.emit([3]);
  expect(heard).toEqual(["a1", "b1", "a2", "b2", "b3"]);
});

it("throws what a listener threw, after all the others were told", () => {
  const listeners = new Listeners<number>();
  const heard: number[] = [];
  listeners.add((event) => {
    throw new Error(`no ${event}`);
  });
  listeners.add((event) => heard.push(event));
  expect(() => listeners.emit([1])).toThrow("no 1");
  expect(() => listeners.emit([2, 3])).toThrow(AggregateError);
  expect(heard).toEqual([1, 2, 3]);
});
