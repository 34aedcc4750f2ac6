import { expect, test } from "vitest";
import { isTold, type Told } from "./sampling.ts";

const app = (status: number): Told => ({ status, end: "complete", reason: undefined });
const ours = (status: number, reason: NonNullable<Told["reason"]>): Told => ({ status, end: "complete", reason });

test.each<[string, Told, all: boolean, failures: boolean, refusals: boolean]>([
  ["a good response", app(200), true, false, false],
  ["the app's 404", app(404), true, false, false],
  ["the app's 500", app(500), true, true, false],
  ["a response that was cut", { status: 200, end: "cut", reason: undefined }, true, true, false],
  ["a client that left", { status: undefined, end: "client-left", reason: undefined }, true, false, false],
  ["no instance", ours(503, "wait-timeout"), true, true, true],
  ["a limit", ours(429, "rate-limited"), true, true, true],
  ["what is no request", { status: 400, end: "no-request", reason: "bare-lf" }, true, true, true],
  ["a redirect", ours(308, "https-redirect"), true, false, false],
  ["a health check that is not good", ours(503, "health"), true, true, false],
])("%s", (_, told, ...expected) => {
  const only = ["all", "failures", "refusals"] as const;
  expect(only.map((what) => isTold(told, { only: what, sample: 1 }, () => 0))).toEqual(expected);
});

test("of a sample failures are all there", () => {
  const told = (what: Told) => isTold(what, { only: "all", sample: 0.5 }, () => 0.7);
  expect([told(app(200)), told(app(502)), told(ours(429, "rate-limited"))]).toEqual([false, true, false]);
});
