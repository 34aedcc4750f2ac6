// Frames of HTTP/2 as bytes, right or wrong: a small writer and reader of its own, so that a mistake of nghttp2's cannot hide.

export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** RFC 9113 §6. */
export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export type FrameType = keyof typeof frameTypes;

export const endStream = 1;
export const ack = 1;
export const endHeaders = 4;

export interface Frame {
  readonly type: FrameType | number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(
  type: FrameType,
  { flags = 0, stream = 0, payload = Buffer.alloc(0) }: { flags?: number; stream?: number; payload?: Buffer } = {},
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = frameTypes[type];
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A number as payload, or a part of one. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

/** HPACK without its compression: each field a literal that is not indexed (RFC 7541 §6.2.2). */
export function fieldBlock(fields: readonly (readonly [string, string])[]): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of fields) parts.push(Buffer.from([0]), hpackString(name), hpackString(value));
  return Buffer.concat(parts);
}

function hpackString(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([hpackInteger(bytes.length, 7), bytes]);
}

/** RFC 7541 §5.1; `bits` are those of the first octet. */
export function hpackInteger(value: number, bits: number, first = 0): Buffer {
  const most = 2 ** bits - 1;
  if (value < most) return Buffer.from([first | value]);
  const octets = [first | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) | 128);
  octets.push(rest);
  return Buffer.from(octets);
}

export function requestFields(path = "/", more: readonly (readonly [string, string])[] = [], method = "GET") {
  return [[":method", method], [":scheme", "https"], [":authority", "a.example"], [":path", path], ...more] as const;
}

/** A whole request without a body, or the beginning of one with. */
export function request(
  stream: number,
  fields: readonly (readonly [string, string])[] = requestFields(),
  flags = endStream | endHeaders,
): Buffer {
  return frame("headers", { flags, stream, payload: fieldBlock(fields) });
}

/** Takes whole frames off the front of `bytes`; what is left of them comes back as `rest`. */
export function readFrames(bytes: Buffer): { readonly frames: readonly Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = [];
  let at = 0;
  while (bytes.length - at >= 9) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const code = bytes[at + 3]!;
    const known = Object.entries(frameTypes).find(([, value]) => value === code)?.[0] as FrameType | undefined;
    const stream = bytes.readUInt32BE(at + 5) & 0x7fffffff;
    frames.push({ type: known ?? code, flags: bytes[at + 4]!, stream, payload: bytes.subarray(at + 9, end) });
    at = end;
  }
  return { frames, rest: bytes.subarray(at) };
}

/** Codes of RFC 9113 §7 by number. */
export const errorNames = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
];

const staticStatuses: Readonly<Record<number, number>> = {
  8: 200,
  9: 204,
  10: 206,
  11: 304,
  12: 400,
  13: 404,
  14: 500,
};
/** RFC 7541 Appendix B, of digits. */
const digitCodes = ["00000", "00001", "00010", "011001", "011010", "011011", "011100", "011101", "011110", "011111"];

/** Of a head that is the first on its connection: later ones refer to what was said before. */
export function firstStatus(block: Buffer): number {
  // Changes of the table's size come first.
  let at = 0;
  while ((block[at]! & 0xe0) === 0x20) at++;
  if ((block[at]! & 0x80) !== 0) return staticStatuses[block[at]! & 0x7f]!;
  const length = block[at + 1]! & 0x7f;
  const value = block.subarray(at + 2, at + 2 + length);
  if ((block[at + 1]! & 0x80) === 0) return Number(value.toString("latin1"));
  let bits = [...value].map((octet) => octet.toString(2).padStart(8, "0")).join("");
  let digits = "";
  while (digits.length < 3) {
    const digit = digitCodes.findIndex((code) => bits.startsWith(code));
    digits += digit;
    bits = bits.slice(digitCodes[digit]!.length);
  }
  return Number(digits);
}
