import { expect, test } from "vitest";
import { arrived, carried } from "./carried-config.ts";

const key = (request: { id: string }) => request.id;
const strategy = { name: "own", picker: () => ({ pick: () => 1 }) };

test("what is as it was comes back as it was, functions and all", () => {
  const config = { strategy, rateLimit: { key }, expression: /a/g, limits: { maxBodyBytes: Number.POSITIVE_INFINITY } };
  const { value, foreign } = arrived(structuredClone(carried(config)), config);
  expect(value).toBe(config);
  expect(foreign).toEqual([]);
});

test("what is beside a function may change; a function is found again in a list that has others before it", () => {
  const before = { port: 1, routes: [{ path: "/a", rateLimit: { points: 1, key } }] };
  const after = {
    port: 2,
    routes: [{ path: "/0" }, { path: "/a", rateLimit: { points: 1, key: (request: { id: string }) => request.id } }],
  };
  const { value, foreign } = arrived(structuredClone(carried(after)), before) as {
    value: typeof after;
    foreign: string[];
  };
  expect(foreign).toEqual([]);
  expect(value.port).toBe(2);
  expect(value.routes[1]).toBe(before.routes[0]);
});

test("a function that is another is told of, and is not the old one", () => {
  const before = { rateLimit: { points: 1, key } };
  const after = { rateLimit: { points: 1, key: () => "other" } };
  const { value, foreign } = arrived(structuredClone(carried(after)), before) as {
    value: typeof after;
    foreign: string[];
  };
  expect(foreign).toEqual(["rateLimit.key"]);
  expect(String(value.rateLimit.key)).toBe(String(after.rateLimit.key));
});
