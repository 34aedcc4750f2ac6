import { systemWallClock } from "../model/clock.ts";

let second = Number.NaN;
let line = "";

/** The Date line for now, made once a second (RFC 9110 §6.6.1). */
export function dateLine(nowMs: number = systemWallClock()): string {
  const now = Math.floor(nowMs / 1_000);
  if (now !== second) {
    second = now;
    line = `Date: ${new Date(now * 1_000).toUTCString()}\r\n`;
  }
  return line;
}
