import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LinkError } from "./errors.ts";
import { DATA, DEFAULT_HELLO, FLAG_UNSEEN, HELLO, MAX_PAYLOAD_BYTES, type StreamClient } from "./frame.ts";
import { FrameBatch } from "./frame-batch.ts";
import { FrameDecoder, type FrameSink } from "./frame-decoder.ts";

type Frame =
  | { readonly type: "hello"; readonly windowBytes: number; readonly maxStreams: number }
  | { readonly type: "open"; readonly id: number; readonly client: StreamClient }
  | { readonly type: "data"; readonly id: number; readonly bytes: string; readonly last: boolean }
  | { readonly type: "responseEnd"; readonly id: number }
  | { readonly type: "fin" | "close"; readonly id: number; readonly flags: number }
  | { readonly type: "window"; readonly id: number; readonly bytes: number }
  | { readonly type: "goaway" };

/** Writes the frames down; the pieces of one DATA frame, and DATA frames that follow one another, as one. */
class Recorder implements FrameSink {
  readonly frames: Frame[] = [];

  onHello({ windowBytes, maxStreams }: { windowBytes: number; maxStreams: number }): void {
    this.frames.push({ type: "hello", windowBytes, maxStreams });
  }
  onOpen(id: number, client: StreamClient): void {
    this.frames.push({ type: "open", id, client });
  }
  onData(id: number, flags: number, buffer: Buffer, start: number, end: number): boolean {
    const bytes = buffer.toString("latin1", start, end);
    const before = this.frames.at(-1);
    if (before?.type === "data" && before.id === id && !before.last) {
      this.frames[this.frames.length - 1] = { ...before, bytes: before.bytes + bytes, last: flags !== 0 };
    } else {
      this.frames.push({ type: "data", id, bytes, last: flags !== 0 });
    }
    return true;
  }
  onResponseEnd(id: number): void {
    this.frames.push({ type: "responseEnd", id });
  }
  onFin(id: number, flags: number): void {
    this.frames.push({ type: "fin", id, flags });
  }
  onClose(id: number, flags: number): void {
    this.frames.push({ type: "close", id, flags });
  }
  onWindow(id: number, bytes: number): void {
    this.frames.push({ type: "window", id, bytes });
  }
  onGoaway(): void {
    this.frames.push({ type: "goaway" });
  }
}

function add(batch: FrameBatch, frame: Frame): void {
  switch (frame.type) {
    case "hello":
      batch.hello(frame);
      break;
    case "open":
      batch.open(frame.id, frame.client);
      break;
    case "data":
      if (frame.bytes.length % 2 === 0) batch.text(frame.id, frame.bytes, "latin1");
      else batch.bytesOf(frame.id, Buffer.from(frame.bytes, "latin1"), 0, frame.bytes.length);
      if (frame.last) batch.endResponseAt(batch.lastData);
      break;
    case "responseEnd":
      batch.responseEnd(frame.id);
      break;
    case "fin":
      batch.fin(frame.id, frame.flags);
      break;
    case "close":
      batch.close(frame.id, frame.flags);
      break;
    case "window":
      batch.window(frame.id, frame.bytes);
      break;
    case "goaway":
      batch.goaway();
      break;
  }
}

/** As {@link Recorder} would record them. */
function merged(frames: readonly Frame[]): Frame[] {
  const recorder = new Recorder();
  for (const frame of frames) {
    if (frame.type !== "data") recorder.frames.push(frame);
    else recorder.onData(frame.id, frame.last ? 1 : 0, Buffer.from(frame.bytes, "latin1"), 0, frame.bytes.length);
  }
  return recorder.frames;
}

const id = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 0xff_ffff }));
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const flags = fc.constantFrom(0, FLAG_UNSEEN);
const bytes = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), minLength: 1 }),
  fc.integer({ min: 4_000, max: 16_000 }).map((length) => "x".repeat(length)),
);
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constant("hello" as const), windowBytes: u32, maxStreams: u32 }),
  fc.record({
    type: fc.constant("open" as const),
    id,
    client: fc.record({
      address: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant("")),
      port: fc.integer({ min: 0, max: 65_535 }),
      encrypted: fc.boolean(),
    }),
  }),
  fc.record({ type: fc.constant("data" as const), id, bytes, last: fc.boolean() }),
  fc.record({ type: fc.constant("responseEnd" as const), id }),
  fc.record({ type: fc.constantFrom("fin" as const, "close" as const), id, flags }),
  fc.record({ type: fc.constant("window" as const), id, bytes: u32 }),
  fc.constant({ type: "goaway" as const }),
);

/** Feeds `wire` in pieces whose lengths repeat `cuts`. */
function decode(wire: Buffer, cuts: readonly number[]): Frame[] {
  const recorder = new Recorder();
  const decoder = new FrameDecoder(recorder);
  let at = 0;
  for (let i = 0; at < wire.length; i++) {
    const until = Math.min(wire.length, at + cuts[i % cuts.length]!);
    decoder.feed(wire, at, until);
    at = until;
  }
  return recorder.frames;
}

describe("frame codec", () => {
  it("reads what it wrote, however it is split", () => {
    const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 70_000 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 60 }), cuts, (frames, cuts) => {
        const batch = new FrameBatch();
        for (const frame of frames) add(batch, frame);
        expect(decode(Buffer.concat(batch.take()), cuts)).toEqual(merged(frames));
      }),
    );
  });

  it("writes the same with its slab used again, and lets go of none before it was written", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(frame, fc.boolean(), fc.boolean()), { maxLength: 80 }), (steps) => {
        const batch = new FrameBatch();
        const unwritten: Buffer[][] = [];
        const written: Buffer[] = [];
        const write = () => {
          written.push(Buffer.concat(unwritten.shift()!));
          batch.written();
        };
        for (const [frame, take, writeOne] of steps) {
          add(batch, frame);
          if (take) unwritten.push(batch.take());
          if (writeOne && unwritten.length > 0) write();
        }
        unwritten.push(batch.take());
        while (unwritten.length > 0) write();
        // A batch ends the growth of a frame, not what the peer reads.
        expect(decode(Buffer.concat(written), [1_000])).toEqual(merged(steps.map(([frame]) => frame)));
      }),
    );
  });

  it("holds ten thousand small frames of several streams in a handful of buffers", () => {
    const batch = new FrameBatch();
    for (let i = 0; i < 10_000; i++) batch.text(1 + (i % 7), "0123456789", "latin1");
    const buffers = batch.take();
    expect(buffers.length).toBe(Math.ceil((10_000 * 18) / 65_536));
    expect(decode(Buffer.concat(buffers), [65_536])).toHaveLength(10_000);
  });

  it("grows one frame while one stream writes, and no further than a response's end", () => {
    const batch = new FrameBatch();
    batch.text(5, "head ", "latin1");
    batch.text(5, "bödy", "utf8");
    batch.endResponseAt(batch.lastData);
    batch.text(5, "stray", "latin1");
    const [wire] = batch.take();
    expect(wire!.length).toBe(8 + 10 + 8 + 5);
    expect(decode(wire!, [100])).toEqual([
      { type: "data", id: 5, bytes: Buffer.from("head bödy").toString("latin1"), last: true },
      { type: "data", id: 5, bytes: "stray", last: false },
    ]);
  });

  it("lends large payloads and copies small ones", () => {
    const batch = new FrameBatch();
    const small = Buffer.alloc(4_095, "s");
    const large = Buffer.alloc(4_096, "l");
    expect(batch.bytesOf(1, small, 0, small.length)).toBe(false);
    expect(batch.bytesOf(1, large, 0, large.length)).toBe(true);
    expect(batch.take()[1]).toBe(large);
  });
});

describe("frame decoder on bytes that are no frames", () => {
  const header = (type: number, flags: number, id: number, length: number) =>
    Buffer.from([type, flags, id >> 16, id >> 8, id, length >> 16, length >> 8, length]);

  it.each([
    ["an unknown type", header(9, 0, 1, 0)],
    ["type 0", header(0, 0, 0, 0)],
    ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["an empty DATA frame", header(DATA, 0, 1, 0)],
    ["a DATA frame above the limit", header(DATA, 0, 1, MAX_PAYLOAD_BYTES + 1)],
    ["unknown flags on DATA", header(DATA, 2, 1, 1)],
    ["a HELLO on a stream", header(HELLO, 0, 1, 16)],
    ["a HELLO that is too short", header(HELLO, 0, 0, 15)],
    ["a HELLO without the magic number", Buffer.concat([header(HELLO, 0, 0, 16), Buffer.alloc(16)])],
    ["an OPEN on stream 0", header(2, 0, 0, 5)],
    ["an OPEN without a port", header(2, 0, 1, 1)],
    ["an OPEN with an endless address", header(2, 0, 1, 67)],
    ["a WINDOW of five bytes", header(7, 0, 1, 5)],
    ["a FIN with a payload", header(5, 0, 1, 1)],
    ["unknown flags on CLOSE", header(6, 2, 1, 0)],
    ["flags on a RESPONSE_END", header(4, 1, 1, 0)],
    ["a GOAWAY on a stream", header(8, 0, 1, 0)],
  ])("refuses %s", (_, wire) => {
    for (const cut of [1, 7, 8, 100]) {
      let caught: unknown;
      try {
        decode(wire, [cut]);
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(LinkError);
      expect((caught as LinkError).code).toBe("LB_LINK_PROTOCOL");
    }
  });

  it("names another version as the cause", () => {
    const batch = new FrameBatch();
    batch.hello(DEFAULT_HELLO);
    const wire = Buffer.concat(batch.take());
    wire.writeUInt16BE(2, 12);
    expect(() => decode(wire, [100])).toThrow(expect.objectContaining({ code: "LB_LINK_VERSION" }));
  });

  it("accepts a greeting with fields of a later revision", () => {
    const batch = new FrameBatch();
    batch.hello(DEFAULT_HELLO);
    const wire = Buffer.concat([...batch.take(), Buffer.alloc(8, 0xff)]);
    wire[7] = 24;
    expect(decode(wire, [100])).toEqual([{ type: "hello", windowBytes: 262_144, maxStreams: 1_048_576 }]);
  });

  it("never throws anything else, and never reports bytes it was not given", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { minLength: 1 }), (reads) => {
        const recorder = new Recorder();
        const decoder = new FrameDecoder(recorder);
        let fed = 0;
        try {
          for (const read of reads) {
            fed += read.length;
            decoder.feed(Buffer.from(read), 0, read.length);
          }
        } catch (error) {
          if (!(error instanceof LinkError)) throw error;
        }
        const reported = recorder.frames.reduce(
          (sum, frame) => sum + (frame.type === "data" ? frame.bytes.length : 8),
          0,
        );
        expect(reported).toBeLessThanOrEqual(fed);
      }),
      { numRuns: 2_000 },
    );
  });

  it("hands nothing on once stopped, not even of the same read", () => {
    const recorder = new Recorder();
    const decoder: FrameDecoder = new FrameDecoder(
      Object.assign(recorder, { onFin: () => decoder.stop() } satisfies Partial<FrameSink>),
    );
    decoder.feed(Buffer.concat([header(5, 0, 1, 0), header(6, 0, 1, 0)]), 0, 16);
    expect(recorder.frames).toEqual([]);
  });
});
