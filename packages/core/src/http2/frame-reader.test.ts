import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameReader, type FrameSink } from "./frame-reader.ts";

class Notes implements FrameSink {
  readonly reader = new FrameReader(this);
  readonly frames: string[] = [];
  stopAt = Number.POSITIVE_INFINITY;
  #head = "";
  #body = "";

  frameBegun(type: number, flags: number, stream: number, length: number): boolean {
    this.#head = `${type}/${flags} ${stream} ${length}`;
    this.#body = "";
    return this.frames.length < this.stopAt;
  }

  dataPiece(buffer: Buffer, start: number, end: number): void {
    expect(end).toBeGreaterThan(start);
    this.#body += buffer.toString("hex", start, end);
  }

  dataEnded(): void {
    this.frames.push(`${this.#head} ${this.#body}`);
  }

  payload(buffer: Buffer, start: number, end: number): void {
    this.frames.push(`${this.#head} ${buffer.toString("hex", start, end)}`);
  }
}

function encode(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const frames = fc.array(
  fc.record({
    type: fc.nat(12),
    flags: fc.nat(255),
    stream: fc.nat(2 ** 31 - 1),
    payload: fc.oneof(fc.constant(0), fc.nat(40), fc.nat(3_000)).map((length) => Buffer.alloc(length, length)),
  }),
  { maxLength: 8 },
);

test("frames are the same however they are cut", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 900 })), (all, sizes) => {
      const notes = new Notes();
      const bytes = Buffer.concat(all.map(({ type, flags, stream, payload }) => encode(type, flags, stream, payload)));
      let at = 0;
      for (let turn = 0; at < bytes.length; turn++) {
        const size = sizes.length === 0 ? bytes.length : sizes[turn % sizes.length]!;
        notes.reader.receive(bytes.subarray(at, at + size));
        at += size;
      }
      expect(notes.frames).toEqual(
        all.map(
          ({ type, flags, stream, payload }) =>
            `${type}/${flags} ${stream} ${payload.length} ${payload.toString("hex")}`,
        ),
      );
    }),
  );
});

test("the reserved bit of a stream means nothing (RFC 9113 §4.1)", () => {
  const notes = new Notes();
  notes.reader.receive(encode(1, 0, 0x80000003, Buffer.alloc(0)));
  expect(notes.frames).toEqual(["1/0 3 0 "]);
});

test("nothing is read any more once it was stopped", () => {
  const notes = new Notes();
  notes.stopAt = 1;
  const one = encode(6, 0, 0, Buffer.alloc(8));
  notes.reader.receive(Buffer.concat([one, one, one]));
  notes.reader.receive(one);
  expect(notes.frames).toHaveLength(1);
});
