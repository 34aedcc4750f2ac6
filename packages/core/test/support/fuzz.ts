import type { Random } from "../../src/model/random.ts";
import { seededRandom } from "./seeded-random.ts";

/** The outcome of one case. */
export interface FuzzCase {
  readonly bytes: Buffer;
  /** Our side took the bytes, so that there was something to compare. */
  readonly accepted: boolean;
  /** What differs from the oracle. */
  readonly divergence?: string | undefined;
}

/** Something to fuzz. A case is a function of its random numbers alone, so that its seed reproduces it. */
export interface FuzzTarget {
  readonly name: string;
  check(random: Random): FuzzCase | Promise<FuzzCase>;
}

export interface Divergence {
  readonly target: string;
  readonly seed: number;
  readonly what: string;
  /** The bytes as a JavaScript string literal, latin1. */
  readonly input: string;
}

export interface FuzzReport {
  cases: number;
  accepted: number;
  readonly divergences: Divergence[];
}

export function emptyReport(): FuzzReport {
  return { cases: 0, accepted: 0, divergences: [] };
}

/** Oracles wait for turns of the event loop; that many cases wait together. */
const batch = 32;

/** Runs the cases `first` … `first + count - 1` of a seed and adds what came of them to `report`. */
export async function fuzz(
  target: FuzzTarget,
  range: { readonly seed: number; readonly first: number; readonly count: number },
  report: FuzzReport,
): Promise<void> {
  for (let at = 0; at < range.count; at += batch) {
    const seeds = Array.from({ length: Math.min(batch, range.count - at) }, (_, index) =>
      caseSeed(range.seed, range.first + at + index),
    );
    await Promise.all(seeds.map((seed) => fuzzOne(target, seed, report)));
  }
}

/** Runs the one case that has this seed. */
export async function fuzzOne(target: FuzzTarget, seed: number, report: FuzzReport): Promise<void> {
  const { bytes, accepted, divergence } = await target.check(seededRandom(seed));
  report.cases++;
  if (accepted) report.accepted++;
  if (divergence !== undefined) {
    report.divergences.push({ target: target.name, seed, what: divergence, input: literal(bytes) });
  }
}

/** One seed a case: splitmix32's mixing, so that neighbouring cases have nothing in common. */
function caseSeed(seed: number, index: number): number {
  let mixed = (Math.imul(seed, 0x9e3779b9) + index + 1) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97) >>> 0;
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

function literal(bytes: Buffer): string {
  const escaped = JSON.stringify(bytes.toString("latin1"));
  return escaped.replace(/[\x7f-\xff]/g, (octet) => `\\x${octet.charCodeAt(0).toString(16)}`);
}
