import fc from "fast-check";
import { expect, test } from "vitest";
import { IndexHeap } from "./index-heap.ts";

const CAPACITY = 12;
const id = fc.nat({ max: CAPACITY - 1 });
/** Few values, so that equal keys are common. */
const key = fc.integer({ min: 0, max: 4 });

interface Entry {
  readonly key: number;
  readonly tie: number;
}

test("agrees with a sorted list after any sequence of operations", () => {
  const operation = fc.oneof(
    fc.record({ kind: fc.constant("set" as const), id, key }),
    fc.record({ kind: fc.constant("setKey" as const), id, key }),
    fc.record({ kind: fc.constant("setTie" as const), id, key }),
    fc.record({ kind: fc.constant("remove" as const), id, key }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), fc.uniqueArray(id), (operations, rejected) => {
      const heap = new IndexHeap(CAPACITY);
      const model = new Map<number, Entry>();
      for (const [at, step] of operations.entries()) {
        const known = model.get(step.id);
        // Every tie-breaker is different, so the order is total.
        if (step.kind === "set") {
          heap.set(step.id, step.key, at);
          model.set(step.id, { key: step.key, tie: at });
        } else if (known === undefined) {
          continue;
        } else if (step.kind === "setKey") {
          heap.setKey(step.id, step.key);
          model.set(step.id, { ...known, key: step.key });
        } else if (step.kind === "setTie") {
          heap.setTie(step.id, at);
          model.set(step.id, { ...known, tie: at });
        } else {
          heap.remove(step.id);
          model.delete(step.id);
        }
        const sorted = [...model].sort(([, a], [, b]) => a.key - b.key || a.tie - b.tie);
        expect(heap.top).toBe(sorted[0]?.[0] ?? -1);
        expect(heap.topKey).toBe(sorted[0]?.[1].key ?? Number.POSITIVE_INFINITY);
        const allowed = sorted.find(([other]) => !rejected.includes(other));
        expect(heap.firstExcept((other) => rejected.includes(other))).toBe(allowed?.[0] ?? -1);
        for (let other = 0; other < CAPACITY; other += 1) expect(heap.has(other)).toBe(model.has(other));
        for (const [other, { tie }] of model) expect(heap.tieOf(other)).toBe(tie);
      }
    }),
    { seed: 3, numRuns: 150 },
  );
});

test("to reject k numbers it looks at no more than 2k + 1", () => {
  const heap = new IndexHeap(1_000);
  for (let at = 0; at < 1_000; at += 1) heap.set(at, at, 0);
  let looks = 0;
  const found = heap.firstExcept((other) => {
    looks += 1;
    return other < 10;
  });
  expect(found).toBe(10);
  expect(looks).toBeLessThanOrEqual(21);
});
