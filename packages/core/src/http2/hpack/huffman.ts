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

/** The inner nodes of the tree that the codes make, by number, 0 the root: where a bit leads, as `~symbol` if to a leaf. */
const children: [number, number][] = [[0, 0]];
/** Ends here may be padding: at the root, or behind up to seven bits of EOS. */
const mayEnd: boolean[] = [true];
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
        mayEnd.push(mayEnd[node]! && bit === 1 && bits - left < 8);
        children[node]![bit] = next;
      }
      node = next;
    }
    children[node]![code & 1] = ~symbol;
    code++;
  }
}

/**
 * The automaton of four bits a step: no code is shorter than five, so that a step ends one symbol at most. By node and bits: the
 * next node, and `symbol << 8 | emits` with it; EOS, which must not be there, leads to no node.
 */
const emits = 1 << 16;
const failed = 1 << 17;
const steps = new Uint32Array(children.length * 16);
for (let from = 0; from < children.length; from++) {
  for (let nibble = 0; nibble < 16; nibble++) {
    let node = from;
    let step = 0;
    for (let left = 3; left >= 0; left--) {
      const next = children[node]![(nibble >>> left) & 1]!;
      if (next >= 0) {
        node = next;
        continue;
      }
      step = ~next === endOfString ? failed : emits | (~next << 18);
      node = 0;
    }
    steps[from * 16 + nibble] = step | node;
  }
}
const nodeBits = 0xffff;

/**
 * Decodes `bytes[start, end)` into `target`, which has room for 8/5 of it. Answers the length, or -1: it is no such code, its padding
 * is none, or EOS is in it (RFC 7541 §5.2).
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let node = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const octet = bytes[at]!;
    const high = steps[(node << 4) | (octet >>> 4)]!;
    if (high >= emits) {
      if ((high & failed) !== 0) return -1;
      target[length++] = high >>> 18;
    }
    const low = steps[((high & nodeBits) << 4) | (octet & 15)]!;
    if (low >= emits) {
      if ((low & failed) !== 0) return -1;
      target[length++] = low >>> 18;
    }
    node = low & nodeBits;
  }
  return mayEnd[node] === true ? length : -1;
}
