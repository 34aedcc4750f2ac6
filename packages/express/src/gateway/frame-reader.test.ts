import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameReader } from "./frame-reader.ts";

interface Sent {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly isFinal?: boolean;
  readonly mask?: Buffer;
}

function frame({ opcode, payload, isFinal = true, mask }: Sent): Buffer {
  const { length } = payload;
  const masked = mask === undefined ? 0 : 0x80;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  head[1] = masked | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  if (mask === undefined) return Buffer.concat([head, payload]);
  return Buffer.concat([head, mask, payload.map((byte, at) => byte ^ mask[at & 3]!)]);
}

function read(bytes: Buffer, cuts: readonly number[] = []) {
  const messages: { isBinary: boolean; bytes: number; data: string | undefined }[] = [];
  const closes: [number, string][] = [];
  const reader = new FrameReader({
    message: ({ data, ...message }) => messages.push({ ...message, data: data?.toString() }),
    closed: (code, reason) => closes.push([code, reason]),
  });
  let before = 0;
  for (const cut of [...cuts, bytes.length]) {
    const at = Math.max(before, Math.min(cut, bytes.length));
    reader.read(bytes.subarray(before, at));
    before = at;
  }
  return { messages, closes };
}

const text = (payload: string, more: Partial<Sent> = {}) =>
  frame({ opcode: 1, payload: Buffer.from(payload), ...more });
const mask = Buffer.from([1, 2, 3, 250]);

describe("FrameReader", () => {
  it("puts messages together, with control frames in between, however they are cut", () => {
    const bytes = Buffer.concat([
      text("one"),
      text("tw", { isFinal: false, mask }),
      frame({ opcode: 9, payload: Buffer.from("ping") }),
      text("o", { opcode: 0, mask }),
      frame({ opcode: 2, payload: Buffer.alloc(0) }),
      text("x".repeat(70_000), { mask }),
      frame({ opcode: 8, payload: Buffer.from([0x03, 0xe8, 0x62, 0x79, 0x65]), mask }),
      text("after the close"),
    ]);
    const expected = {
      messages: [
        { isBinary: false, bytes: 3, data: "one" },
        { isBinary: false, bytes: 3, data: "two" },
        { isBinary: true, bytes: 0, data: "" },
        { isBinary: false, bytes: 70_000, data: "x".repeat(70_000) },
      ],
      closes: [[1000, "bye"]],
    };
    expect(read(bytes)).toEqual(expected);
    expect(
      read(
        bytes,
        Array.from({ length: 60 }, (_, at) => at + 1),
      ),
    ).toEqual(expected);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
        expect(
          read(
            bytes,
            cuts.toSorted((one, other) => one - other),
          ),
        ).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it("counts what is too long, and keeps nothing of it (BAD-INPUTS 75)", () => {
    const part = "x".repeat(600_000);
    const bytes = Buffer.concat([text(part, { isFinal: false }), text(part, { opcode: 0 }), text("next")]);
    expect(read(bytes).messages).toEqual([
      { isBinary: false, bytes: 1_200_000, data: undefined },
      { isBinary: false, bytes: 4, data: "next" },
    ]);
  });

  it("a close without a code is 1005, and whatever else comes throws nothing", () => {
    expect(read(frame({ opcode: 8, payload: Buffer.alloc(0) })).closes).toEqual([[1005, ""]]);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void read(Buffer.from(bytes), [1, 7, 50])));
  });
});
