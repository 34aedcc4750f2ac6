import { randomFillSync } from "node:crypto";

/** Octets at random: `crypto` is asked for many at a time. */
const pool = Buffer.alloc(4_096);
let next = pool.length;

/** Of a trace of W3C Trace Context: 32 hexadecimal digits, not all of them 0. */
export function newTraceId(): string {
  const id = randomHex(16);
  return id === "00000000000000000000000000000000" ? newTraceId() : id;
}

/** Of a span: 16 of them. */
export function newSpanId(): string {
  const id = randomHex(8);
  return id === "0000000000000000" ? newSpanId() : id;
}

export function randomHex(octets: number): string {
  const at = take(octets);
  return pool.toString("hex", at, at + octets);
}

/** From 0, and below 1. */
export function randomShare(): number {
  return pool.readUInt32LE(take(4)) / 0x1_0000_0000;
}

function take(octets: number): number {
  if (next + octets > pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  const at = next;
  next += octets;
  return at;
}
