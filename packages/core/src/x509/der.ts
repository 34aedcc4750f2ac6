/**
 * The distinguished encoding of ASN.1 (X.690): as much of it as certificates are written and read by. Written by hand, since
 * it is a tag, a length and the rest, and every library for it brings a dozen packages (ADR 24).
 */

/** One value, encoded. */
export type Der = Buffer;

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

export function tagged(tag: number, ...contents: readonly Uint8Array[]): Der {
  const length = contents.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(length)]), ...contents]);
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  if (length < 0x10000) return [0x82, length >> 8, length & 0xff];
  return [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
}

/** `[number]` around whole values, or in place of the tag of one that consists of others. */
export function context(number: number, ...contents: readonly Uint8Array[]): Der {
  return tagged(0xa0 | number, ...contents);
}

/** `[number]` in place of the tag of a value that consists of none. */
export function contextPrimitive(number: number, content: Uint8Array): Der {
  return tagged(0x80 | number, content);
}

export function sequence(...members: readonly Der[]): Der {
  return tagged(tags.sequence, ...members);
}

export function set(...members: readonly Der[]): Der {
  return tagged(tags.set, ...members);
}

/** Of bytes, most significant first, that are no negative number. */
export function integer(value: number | Uint8Array): Der {
  const bytes = typeof value === "number" ? Buffer.from([value]) : Buffer.from(value);
  let from = 0;
  while (from < bytes.length - 1 && bytes[from] === 0) from += 1;
  const least = bytes.subarray(from);
  return tagged(tags.integer, least[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), least]) : least);
}

export function boolean(value: boolean): Der {
  return tagged(tags.boolean, Buffer.of(value ? 0xff : 0));
}

export function octetString(content: Uint8Array): Der {
  return tagged(tags.octetString, content);
}

/** `unused` bits at its end do not count. */
export function bitString(content: Uint8Array, unused = 0): Der {
  return tagged(tags.bitString, Buffer.of(unused), content);
}

export function utf8String(text: string): Der {
  return tagged(tags.utf8String, Buffer.from(text));
}

/** As `1.2.840.10045.4.3.2`. */
export function objectIdentifier(dotted: string): Der {
  const [first = 0, second = 0, ...others] = dotted.split(".").map(Number);
  return tagged(tags.objectIdentifier, Buffer.from([first * 40 + second, ...others].flatMap(base128)));
}

function base128(arc: number): number[] {
  const digits = [arc & 0x7f];
  for (let rest = arc >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

/** Years before 2050 are written with two digits (RFC 5280 §4.1.2.5). */
export function time(milliseconds: number): Der {
  const digits = `${new Date(milliseconds).toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`;
  return digits < "2050"
    ? tagged(tags.utcTime, Buffer.from(digits.slice(2)))
    : tagged(tags.generalizedTime, Buffer.from(digits));
}

/** A value that was read. */
export interface Read {
  readonly tag: number;
  readonly content: Buffer;
  /** With its tag and length. */
  readonly whole: Buffer;
}

/** The values that stand one after the other in `bytes`. @throws RangeError where they end in the middle of one */
export function readAll(bytes: Buffer): readonly Read[] {
  const found: Read[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { length, from } = readLength(bytes, at + 1);
    if (from + length > bytes.length) throw new RangeError("a value is longer than what holds it");
    found.push({
      tag: bytes[at]!,
      content: bytes.subarray(from, from + length),
      whole: bytes.subarray(at, from + length),
    });
    at = from + length;
  }
  return found;
}

function readLength(bytes: Buffer, at: number): { readonly length: number; readonly from: number } {
  const first = bytes.readUInt8(at);
  if (first < 0x80) return { length: first, from: at + 1 };
  const size = first & 0x7f;
  if (size === 0 || size > 4) throw new RangeError("a length is not one");
  return { length: bytes.readUIntBE(at + 1, size), from: at + 1 + size };
}
