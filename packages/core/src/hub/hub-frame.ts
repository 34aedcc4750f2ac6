/**
 * What travels between a worker and its primary. All numbers are big-endian:
 *
 * ```text
 * every frame    length u32 (of what follows it) · type u8 · …
 * message        channel u48 · from u48 · payload
 * direct         channel u48 · from u48 · to u48 · payload
 * retained       channel u48 · from u48 · count u48 · sequence u48 · payload
 * acknowledged   channel u48 · entries u32 · count u48 · sequence u48
 * control        JSON
 * request        id u32 · operation u8 · …          reply: id u32 · status u8 · …
 * ```
 *
 * The frames with a payload are the same in both directions, so that the primary passes on the bytes it has read, and a
 * run of them in one piece.
 */
export const FrameType = {
  message: 1,
  direct: 2,
  retained: 3,
  acknowledged: 4,
  control: 5,
  request: 6,
  reply: 7,
} as const;

/** From a frame's first byte to these fields, and to the payload. */
export const FrameOffset = {
  type: 4,
  body: 5,
  channel: 5,
  from: 11,
  messagePayload: 17,
  to: 17,
  directPayload: 23,
  count: 17,
  sequence: 23,
  retainedPayload: 29,
  /** Of an acknowledgement: how many were numbered, and count and sequence of the last of them. */
  entries: 11,
  lastCount: 15,
  lastSequence: 21,
  requestId: 5,
  /** Of a request; the status of a reply. */
  operation: 9,
  arguments: 10,
} as const;

export const lengthBytes = 4;

/** A count that never wraps: 2^48 of anything is years of it at any rate. */
export function readCount(bytes: Buffer, offset: number): number {
  return bytes.readUInt16BE(offset) * 0x1_0000_0000 + bytes.readUInt32BE(offset + 2);
}

export function writeCount(bytes: Buffer, value: number, offset: number): void {
  bytes.writeUInt16BE(Math.floor(value / 0x1_0000_0000), offset);
  bytes.writeUInt32BE(value % 0x1_0000_0000, offset + 2);
}
