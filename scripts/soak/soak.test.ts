import { expect, test } from "vitest";
import { courseOf, isFlat } from "./memory.ts";
import { Counting, disagreements, totalOf } from "./tally.ts";

test("what one source has more of is named", () => {
  const [clients, log] = [new Counting(), new Counting()];
  for (const status of [101, 200, 204, 301, 404, 503, 0]) clients.add(status);
  for (const status of [101, 200, 204, 301, 404, 503, 0, 502]) log.add(status);
  expect(clients.tally).toEqual({ "1xx": 1, "2xx": 2, "3xx": 1, "4xx": 1, "5xx": 1, none: 1 });
  expect(totalOf(log.tally)).toBe(8);
  expect(disagreements({ clients: clients.tally, again: clients.tally })).toEqual([]);
  expect(disagreements({ clients: clients.tally, log: log.tally })).toEqual(["5xx: log has 2, clients 1"]);
});

test("memory that levels off is flat, and memory that goes on growing is none", () => {
  const minutes = Array.from({ length: 80 }, (_, at) => at);
  expect(isFlat(courseOf(minutes.map((at) => 60 + Math.min(at, 20) + (at % 3))))).toBe(true);
  expect(isFlat(courseOf(minutes.map((at) => 60 + at / 2)))).toBe(false);
  expect(courseOf(minutes.map((at) => 60 + at / 2)).grew).toBe(20);
});
