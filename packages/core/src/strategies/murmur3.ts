/**
 * MurmurHash3_x86_32 (A. Appleby, public domain) of a string's UTF-16 code units, little-endian: two units are one
 * block, so nothing is encoded or allocated. Well mixed in every bit and the same in every process and on every
 * machine; not for secrets, nor where an adversary's collisions would do harm.
 *
 * @returns an unsigned 32-bit integer
 */
export function murmur3(text: string, seed = 0): number {
  const units = text.length;
  const paired = units & ~1;
  let hash = seed | 0;
  for (let at = 0; at < paired; at += 2) {
    hash ^= scramble(text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16));
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  if (paired < units) hash ^= scramble(text.charCodeAt(paired));
  return mix32(hash ^ (2 * units));
}

/** Murmur3's finaliser: a bijection of 32 bits in which each input bit flips each output bit with probability ~1/2. */
export function mix32(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(block: number): number {
  const spread = Math.imul(block, 0xcc9e2d51);
  return Math.imul((spread << 15) | (spread >>> 17), 0x1b873593);
}
