import { expect, test } from "vitest";
import { serverTimingLine } from "./server-timing.ts";

test("what a response's head took is said in parts, those that took something", () => {
  expect(serverTimingLine({ queuedMs: 0, leasedMs: 0.1, respondedMs: 12.34, attempts: 1 })).toBe(
    "Server-Timing: lb-app;dur=12.2\r\n",
  );
  expect(serverTimingLine({ queuedMs: 3, leasedMs: 103.26, respondedMs: 110, attempts: 2 })).toBe(
    "Server-Timing: lb-queue;dur=3.0, lb-retry;dur=100.3, lb-app;dur=6.7\r\n",
  );
  expect(serverTimingLine({ queuedMs: 0, leasedMs: undefined, respondedMs: 1, attempts: 0 })).toBe("");
  expect(serverTimingLine(undefined)).toBe("");
});
