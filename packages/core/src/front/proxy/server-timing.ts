import type { FinishedRequest } from "../traffic-observer.ts";

export type RequestTimes = Pick<FinishedRequest, "queuedMs" | "leasedMs" | "respondedMs" | "attempts">;

/**
 * The field `Server-Timing` of a response whose head has come, a complete line: what it waited, what went by with attempts that came
 * to nothing, and what the app took to its head. Browsers show it beside their own times. `""`: nothing is known.
 */
export function serverTimingLine(times: RequestTimes | undefined): string {
  if (times?.leasedMs === undefined || times.respondedMs === undefined) return "";
  const { queuedMs, leasedMs, respondedMs, attempts } = times;
  const parts = [
    ...(queuedMs > 0 ? [part("lb-queue", queuedMs)] : []),
    ...(attempts > 1 ? [part("lb-retry", leasedMs - queuedMs)] : []),
    part("lb-app", respondedMs - leasedMs),
  ];
  return `Server-Timing: ${parts.join(", ")}\r\n`;
}

function part(name: string, ms: number): string {
  return `${name};dur=${ms.toFixed(1)}`;
}
