/** What the table must know of an endpoint: its weight and 64 bits of hash. */
export interface TableNode {
  readonly weight: number;
  readonly high: number;
  readonly low: number;
}

/** For each entry the index of its node. */
export type LookupTable = Uint16Array | Uint32Array;

/** Few and far apart: a key's entry depends on the size, so a change of it moves nearly all keys. Primes, the paper's. */
const SIZES = [65_537, 655_373] as const;

/** As Envoy's limit. */
export const MAX_TABLE_SIZE = 5_000_011;

/** Equal endpoints own equal numbers of entries, give or take one: with this many each, shares differ by 1.6 %. */
const ENTRIES_PER_NODE = 64;

export function tableSizeFor(nodes: number): number {
  return SIZES.find((size) => size >= nodes * ENTRIES_PER_NODE) ?? MAX_TABLE_SIZE;
}

/**
 * The lookup table of D. Eisenbud et al., "Maglev: a fast and reliable software network load balancer" (NSDI 2016,
 * §3.4): every node has its own permutation of the entries, and the nodes take turns to claim the next free entry of
 * theirs. A node of weight w takes part in w of every max(w) rounds, and everyone in the first, so with at least as
 * many entries as nodes each has one. The order of `nodes` must depend on the nodes alone.
 *
 * Expected O(size · ln size) whatever the weights: who has a turn is looked up by round, not searched for.
 *
 * @param size a prime number, at least as large as the number of nodes
 */
export function maglevTable(nodes: readonly TableNode[], size: number): LookupTable {
  const maxWeight = nodes.reduce((max, { weight }) => Math.max(max, weight), 0);
  const totalWeight = nodes.reduce((sum, { weight }) => sum + weight, 0);
  const position = Int32Array.from(nodes, ({ high }) => high % size);
  const skip = Int32Array.from(nodes, ({ low }) => (low % (size - 1)) + 1);
  const turns = new Int32Array(nodes.length);
  // `firstInRound` heads a list, linked by `nextInRound`, of the nodes whose next turn is in that round. R rounds have
  // more than (R - 1) · totalWeight / maxWeight turns, and there are as many turns as entries. One more for rounding.
  const rounds = Math.ceil((size * maxWeight) / totalWeight) + 2;
  const firstInRound = new Int32Array(rounds).fill(-1);
  const nextInRound = new Int32Array(nodes.length);
  const enter = (node: number, round: number) => {
    if (round >= rounds) return;
    nextInRound[node] = firstInRound[round]!;
    firstInRound[round] = node;
  };
  for (let node = nodes.length - 1; node >= 0; node -= 1) enter(node, 0);

  const table = nodes.length <= 2 ** 16 ? new Uint16Array(size) : new Uint32Array(size);
  // One bit an entry. Most probes meet a claimed entry, and these bits stay in the processor's cache where the table
  // does not: with 655,373 entries that is twice as fast.
  const claimed = new Int32Array((size + 31) >>> 5);
  let free = size;
  for (let round = 0; round < rounds && free > 0; round += 1) {
    for (let node = firstInRound[round]!; node !== -1 && free > 0; ) {
      const following = nextInRound[node]!;
      let entry = position[node]!;
      const step = skip[node]!;
      while ((claimed[entry >>> 5]! & (1 << entry)) !== 0) {
        entry += step;
        if (entry >= size) entry -= size;
      }
      claimed[entry >>> 5]! |= 1 << entry;
      table[entry] = node;
      free -= 1;
      position[node] = entry;
      turns[node]! += 1;
      // Never the same round again, which rounding could make of two turns that are a hair over 1 apart.
      enter(node, Math.max(round + 1, Math.ceil((turns[node]! * maxWeight) / nodes[node]!.weight)));
      node = following;
    }
  }
  return table;
}

/** The entry for a hash of 32 unsigned bits: its part of the range, without a division. */
export function entryOf(hash: number, size: number): number {
  return (hash * 2 ** -32 * size) | 0;
}
