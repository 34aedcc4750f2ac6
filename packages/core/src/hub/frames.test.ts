import fc from "fast-check";
import { expect, it } from "vitest";
import { FrameReader } from "./frame-reader.ts";
import { GatheredFrames } from "./gathered-frames.ts";
import { FrameOffset, FrameType, readCount } from "./hub-frame.ts";
import { maxFrameBytes } from "./limits.ts";
import { channelNumber, endpointIdOf, instanceNumber } from "./numbers.ts";

const count = fc.nat({ max: 2 ** 48 - 1 });
const payload = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }),
  // Beyond what shares memory with others.
  fc.integer({ min: 16_380, max: 70_000 }).map((length) => new Uint8Array(length).fill(length)),
);

it("frames are read as they were written, however they are cut into reads", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ channel: count, from: count, count, payload }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 20 }),
      (messages, cuts) => {
        const batch = new GatheredFrames();
        for (const { channel, from, count, payload } of messages) {
          batch.message(channel, from, payload);
          batch.direct(channel, from, count, payload);
          batch.retained(channel, from, count, payload);
          batch.control({ name: "x", count });
        }
        const { bytes } = batch;
        const written = Buffer.concat(batch.take());
        expect(written.length).toBe(bytes);
        expect(batch.bytes).toBe(0);
        const read: unknown[] = [];
        const reader = new FrameReader((frame, start, end) => {
          const type = frame[start + FrameOffset.type];
          if (type === FrameType.control) {
            read.push(JSON.parse(frame.toString("utf8", start + FrameOffset.body, end)));
            return;
          }
          const [at, extra] = {
            [FrameType.message]: [FrameOffset.messagePayload, undefined],
            [FrameType.direct]: [FrameOffset.directPayload, FrameOffset.to],
            [FrameType.retained]: [FrameOffset.retainedPayload, FrameOffset.count],
          }[type as 1 | 2 | 3] as [number, number | undefined];
          read.push({
            channel: readCount(frame, start + FrameOffset.channel),
            from: readCount(frame, start + FrameOffset.from),
            ...(extra === undefined ? {} : { count: readCount(frame, start + extra) }),
            payload: frame.toString("latin1", start + at, end),
          });
        });
        for (let at = 0, cut = 0; at < written.length; cut += 1) {
          const next = at + cuts[cut % cuts.length]!;
          reader.read(written.subarray(at, next));
          at = next;
        }
        expect(read).toEqual(
          messages.flatMap(({ channel, from, count, payload }) => {
            const bytes = Buffer.from(payload as string).toString("latin1");
            return [
              { channel, from, payload: bytes },
              { channel, from, count, payload: bytes },
              { channel, from, count, payload: bytes },
              { name: "x", count },
            ];
          }),
        );
      },
    ),
    { numRuns: 40 },
  );
});

it("a frame beyond the bound is neither written nor read", () => {
  const batch = new GatheredFrames();
  const large = Buffer.alloc(maxFrameBytes);
  expect(() => batch.message(1, 1, large)).toThrow(expect.objectContaining({ code: "LB_HUB_FRAME" }));
  expect(batch.take()).toEqual([]);
  const reader = new FrameReader(() => {});
  expect(() => reader.read(Buffer.from("ffffffff00", "hex"))).toThrow(
    expect.objectContaining({ code: "LB_HUB_PROTOCOL" }),
  );
  expect(() => new FrameReader(() => {}).read(Buffer.alloc(4))).toThrow(
    expect.objectContaining({ code: "LB_HUB_PROTOCOL" }),
  );
});

it("instances are numbers on the wire and back", () => {
  for (const endpointId of ["1.1", "2.17", "1024.4294967295"]) {
    expect(endpointIdOf(instanceNumber(endpointId)!)).toBe(endpointId);
  }
  for (const none of ["", "1", "0.1", "1.0", "1.1 ", "65536.1", "1.4294967296", "a.b"]) {
    expect(instanceNumber(none)).toBeUndefined();
  }
  expect(channelNumber("a")).not.toBe(channelNumber("b"));
});
