import fc from "fast-check";
import { expect, it } from "vitest";
import { Counters } from "./counters.ts";
import { ExpiringTable } from "./expiring-table.ts";

it("holds what a table without bounds would hold, less what expires first", () => {
  const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
  const command = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("set" as const), key, ttl: fc.nat(20), bytes: fc.nat(40) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("get" as const), key }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), key }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(6) }) },
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 100 }), (commands) => {
      const table = new ExpiringTable<number>({ maxEntries: 4, maxBytes: 100 });
      // A naive model: a list, sorted anew each time.
      let model: { key: string; value: number; expiresAt: number; bytes: number }[] = [];
      let now = 0;
      for (const [value, one] of commands.entries()) {
        model = model.filter(({ expiresAt }) => expiresAt > now);
        switch (one.kind) {
          case "set": {
            const expiresAt = now + one.ttl;
            table.set(one.key, value, { expiresAt, bytes: one.bytes, now });
            model = model.filter(({ key }) => key !== one.key);
            if (expiresAt <= now) break;
            model.sort((a, b) => a.expiresAt - b.expiresAt);
            while (model.length >= 4 || model.reduce((sum, { bytes }) => sum + bytes, one.bytes) > 100) model.shift();
            model.push({ key: one.key, value, expiresAt, bytes: one.bytes });
            break;
          }
          case "get":
            // Which of several that expire at the same time goes first is not said.
            if (new Set(model.map(({ expiresAt }) => expiresAt)).size === model.length) {
              const found = table.get(one.key, now);
              expect(found?.expiresAt).toBe(model.find(({ key }) => key === one.key)?.expiresAt);
            }
            break;
          case "delete":
            table.delete(one.key);
            model = model.filter(({ key }) => key !== one.key);
            break;
          case "wait":
            now += one.ms;
            break;
        }
        expect(table.size).toBeLessThanOrEqual(4);
        expect(table.bytes).toBeLessThanOrEqual(100);
        if (new Set(model.map(({ expiresAt }) => expiresAt)).size < model.length) return;
      }
    }),
    { numRuns: 500 },
  );
});

it("counters begin with the first thing they count, and end with their window", () => {
  const counters = new Counters(2);
  expect(counters.add("a", 1, 100, 0)).toEqual({ total: 1, resetMs: 100 });
  expect(counters.add("a", 2.5, 5, 60)).toEqual({ total: 3.5, resetMs: 40 });
  expect(counters.get("a", 99)).toEqual({ total: 3.5, resetMs: 1 });
  expect(counters.get("a", 100)).toBeUndefined();
  expect(counters.add("a", 1, 100, 100)).toEqual({ total: 1, resetMs: 100 });
  counters.add("b", 1, 50, 100);
  // Full: the one whose window ends first goes.
  counters.add("c", 1, 100, 100);
  expect(counters.get("b", 100)).toBeUndefined();
  expect(counters.get("a", 100)?.total).toBe(1);
  expect(counters.delete("a")).toBe(true);
  expect(counters.delete("a")).toBe(false);
});
