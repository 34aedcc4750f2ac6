import { expect, it } from "vitest";
import { maxPrefaceBytes, readPreface, writePreface } from "./peer-preface.ts";

it.each([
  { address: "192.0.2.1", port: 49_152, encrypted: false },
  { address: "", port: 0, encrypted: false },
  { address: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", port: 65_535, encrypted: true },
])("says whose client it is: %j", (preface) => {
  const line = writePreface(preface);
  expect(line.length).toBeLessThanOrEqual(maxPrefaceBytes);
  expect(readPreface(line.slice(0, -1))).toEqual(preface);
});

it.each([
  "",
  "LB1",
  "LB2 192.0.2.1 1 0",
  "LB1 example.org 1 0",
  "LB1  1 0",
  "LB1 192.0.2.1 65536 0",
  "LB1 192.0.2.1 1 2",
  "GET / HTTP/1.1",
])("takes nothing else for one: %j", (line) => {
  expect(readPreface(line)).toBeUndefined();
});
