import fc from "fast-check";
import { expect, test } from "vitest";
import { Fifo } from "./fifo.ts";

test("does what an array does, whatever is done to it", () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.constant("push" as const) },
    { weight: 4, arbitrary: fc.constant("shift" as const) },
    fc.constantFrom("retain" as const, "takeAll" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const fifo = new Fifo<number>();
      const array: number[] = [];
      for (const [n, what] of steps.entries()) {
        if (what === "push") {
          fifo.push(n);
          array.push(n);
        } else if (what === "shift") expect(fifo.shift()).toBe(array.shift());
        else if (what === "takeAll") expect(fifo.takeAll()).toEqual(array.splice(0));
        else {
          fifo.retain((entry) => entry % 3 !== 0);
          array.splice(0, array.length, ...array.filter((entry) => entry % 3 !== 0));
        }
        expect(fifo.length).toBe(array.length);
      }
      expect(fifo.takeAll()).toEqual(array);
    }),
  );
});

test("keeps its order through 10,000 of them", () => {
  const fifo = new Fifo<number>();
  for (let n = 0; n < 10_000; n++) fifo.push(n);
  for (let n = 0; n < 10_000; n++) expect(fifo.shift()).toBe(n);
  expect(fifo.shift()).toBeUndefined();
});
