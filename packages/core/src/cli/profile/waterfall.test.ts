import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { SlowRequest } from "../../model/slow-requests.ts";
import { waterfall } from "./waterfall.ts";

const request: SlowRequest = {
  at: 0,
  method: "GET",
  path: "/report",
  route: "",
  status: 200,
  answeredBy: "app",
  end: "complete",
  attempts: 1,
  instance: "2",
  bytesIn: 1,
  bytesOut: 1,
  queuedMs: 50,
  leasedMs: 50,
  respondedMs: 75,
  endedMs: 100,
};

test("shows when what happened, to the scale of the slowest", () => {
  const half = { ...request, leasedMs: 0, respondedMs: 25, endedMs: 50, instance: "1" };
  const left = {
    ...request,
    status: null,
    end: "client-left",
    instance: null,
    leasedMs: null,
    respondedMs: null,
  } as const;
  const text = waterfall({ ms: 10_000, requests: 7, slowest: [request, half, { ...left, endedMs: 25 }] }, 100);
  expect(stripVTControlCharacters(text).split("\n")).toEqual([
    "7 requests in 10 s, the slowest:",
    " total   wait  answer   body  status         by  request",
    `100 ms  50 ms   25 ms  25 ms  200            2   GET /report  ${"·".repeat(19)}${"█".repeat(10)}${"▒".repeat(9)}`,
    ` 50 ms   0 ms   25 ms  25 ms  200            1   GET /report  ${"█".repeat(10)}${"▒".repeat(9)}`,
    ` 25 ms      -       -      -  - client-left  -   GET /report  ${"·".repeat(10)}`,
    "· until an instance was found, █ until the head of its response, ▒ until the end",
  ]);
});

test("says that there was none", () => {
  expect(waterfall({ ms: 1_000, requests: 0, slowest: [] }, 80)).toBe("0 requests in 1 s");
});
