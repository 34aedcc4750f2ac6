import fc from "fast-check";
import { expect, it } from "vitest";
import { RetainedLog } from "./retained-log.ts";

it("keeps the last items within its bounds, under their numbers", () => {
  const step = fc.record({ bytes: fc.integer({ min: 0, max: 30 }), waitMs: fc.nat(4) });
  fc.assert(
    fc.property(fc.nat(1_000), fc.array(step, { maxLength: 300 }), fc.nat(1_400), (head, steps, from) => {
      const log = new RetainedLog<number>({ maxEntries: 100, maxBytes: 800, maxAgeMs: 100 }, head);
      let model: { number: number; bytes: number; at: number }[] = [];
      let now = 0;
      for (const [index, { bytes, waitMs }] of steps.entries()) {
        now += waitMs;
        log.append(index, bytes, now);
        model.push({ number: head + index + 1, bytes, at: now });
        while (model.length > 100 || total(model) > 800 || now - (model[0]?.at ?? now) > 100) model.shift();
      }
      expect(log.head).toBe(head + steps.length);
      expect(log.bytes).toBe(total(model));
      expect(log.floor).toBe(log.head - model.length);
      model = model.filter(({ number }) => number > from);
      expect([...log.after(from)]).toEqual(model.map(({ number }) => [number, number - head - 1]));
    }),
    { numRuns: 300 },
  );
});

function total(entries: readonly { readonly bytes: number }[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}
