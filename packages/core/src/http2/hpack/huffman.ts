/**
 * RFC 7541 Appendix B: how many bits the code of each octet has. The code is canonical: codes of one length are consecutive, in
 * the order of their octets, and shorter ones come first, so that the lengths say all of it. That of EOS, 30 bits of 1, is the last.
 */
const codeLengths: readonly number[] = [
  ...[13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28],
  ...[28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15],
  ...[6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  ...[15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20],
  ...[20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23],
  ...[24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22],
  ...[22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27],
  ...[24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26],
  ...[26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
  30,
];
const endOfString = 256;
const mostBits = 30;

/** Flags of a step, which has the next node in its lower half and the symbol, if there is one, above them. */
const emits = 1 << 16;
const failed = 1 << 17;
const symbolAt = 18;
const nodeBits = 0xffff;

/**
 * The automaton of four bits a step: no code is shorter than five, so that a step ends one symbol at most. `steps` by node and bits:
 * EOS, which must not be there, has failed. `mayEnd` by node: what stands behind the last symbol may be padding.
 */
interface Automaton {
  readonly steps: Uint32Array;
  readonly mayEnd: Uint8Array;
}

/** Made where it is needed first: it takes milliseconds, and most processes have no client of HTTP/2. */
let automaton: Automaton | undefined;

/** The inner nodes of the tree that the codes make, by number, 0 the root: where a bit leads, as `~symbol` if to a leaf. */
function makeAutomaton(): Automaton {
  const children: [number, number][] = [[0, 0]];
  // At the root, or behind up to seven bits of EOS.
  const mayEnd: number[] = [1];
  let code = 0;
  for (let bits = 1; bits <= mostBits; bits++, code <<= 1) {
    for (let symbol = 0; symbol <= endOfString; symbol++) {
      if (codeLengths[symbol] !== bits) continue;
      let node = 0;
      for (let left = bits - 1; left > 0; left--) {
        const bit = (code >>> left) & 1;
        let next = children[node]![bit]!;
        if (next === 0) {
          next = children.length;
          children.push([0, 0]);
          mayEnd.push(mayEnd[node]! & bit & Number(bits - left < 8));
          children[node]![bit] = next;
        }
        node = next;
      }
      children[node]![code & 1] = ~symbol;
      code++;
    }
  }
  const steps = new Uint32Array(children.length * 16);
  for (let at = 0; at < steps.length; at++) steps[at] = stepOf(children, at >>> 4, at & 15);
  return { steps, mayEnd: Uint8Array.from(mayEnd) };
}

function stepOf(children: readonly (readonly [number, number])[], from: number, nibble: number): number {
  let node = from;
  let step = 0;
  for (let left = 3; left >= 0; left--) {
    const next = children[node]![(nibble >>> left) & 1]!;
    if (next >= 0) node = next;
    else {
      step = ~next === endOfString ? failed : emits | (~next << symbolAt);
      node = 0;
    }
  }
  return step | node;
}

/**
 * Decodes `bytes[start, end)` into `target`, which has room for 8/5 of it. Answers the length, or -1: it is no such code, its padding
 * is none, or EOS is in it (RFC 7541 §5.2).
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  automaton ??= makeAutomaton();
  const { steps, mayEnd } = automaton;
  let node = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const octet = bytes[at]!;
    const high = steps[(node << 4) | (octet >>> 4)]!;
    if (high >= emits) {
      if ((high & failed) !== 0) return -1;
      target[length++] = high >>> symbolAt;
    }
    const low = steps[((high & nodeBits) << 4) | (octet & 15)]!;
    if (low >= emits) {
      if ((low & failed) !== 0) return -1;
      target[length++] = low >>> symbolAt;
    }
    node = low & nodeBits;
  }
  return mayEnd[node] === 1 ? length : -1;
}
