import { expect, test } from "vitest";
import { serviceGroups } from "./services.ts";

const record = (name: string, priority: number, weight: number, port = 80) => ({ name, priority, weight, port });

test("those of the best priority come first, whatever the order of the answer", () => {
  const records = [record("c.example", 20, 5), record("B.example", 10, 0), record("a.example", 10, 30, 8080)];
  const groups = [
    [
      { host: "a.example", port: 8080, weight: 30 },
      { host: "b.example", port: 80, weight: 1 },
    ],
    [{ host: "c.example", port: 80, weight: 5 }],
  ];
  expect(serviceGroups(records)).toEqual(groups);
  expect(serviceGroups([...records].reverse())).toEqual(groups);
});

test("a service that is said not to exist has no hosts, and of a thousand 256 count", () => {
  expect(serviceGroups([record("", 0, 0, 0)])).toEqual([]);
  const many = Array.from({ length: 1_000 }, (_, n) => record(`h${n}.example`, n % 2, 1));
  expect(serviceGroups(many).flat()).toHaveLength(256);
});
