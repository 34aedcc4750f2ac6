import { expect, test } from "vitest";
import { ExemplarBook } from "./exemplars.ts";
import { maxRoutes, otherRoutes } from "./traffic-counts.ts";

test("the last of each bucket of each route is kept, and no more than there are buckets and routes", () => {
  const book = new ExemplarBook();
  for (let each = 0; each < 5_000; each++) {
    book.note("/api", { traceId: String(each), ms: each / 10, at: each });
  }
  const kept = book.all["/api"]!;
  expect(kept.length).toBeLessThan(122);
  expect(kept.some(({ traceId }) => traceId === "4999")).toBe(true);
  for (let each = 0; each < maxRoutes + 50; each++) book.note(`/${each}`, { traceId: "a", ms: 1, at: each });
  expect(Object.keys(book.all)).toHaveLength(maxRoutes + 1);
  expect(book.all[otherRoutes]).toEqual([{ traceId: "a", ms: 1, at: maxRoutes + 49 }]);
});
