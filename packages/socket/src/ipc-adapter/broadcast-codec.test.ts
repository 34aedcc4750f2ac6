import fc from "fast-check";
import { expect, it } from "vitest";
import { BroadcastReader, encodeBroadcast } from "./broadcast-codec.ts";

const names = fc.array(fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("room", "a\nb", '"')), {
  maxLength: 4,
});
const part = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom('2["event","a\nb"]', "b", "B"),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
);

it("broadcasts are read as they were written, whatever is in names and packets", () => {
  const reader = new BroadcastReader();
  const flags = fc.record({ volatile: fc.boolean(), compress: fc.boolean() }, { requiredKeys: [] });
  fc.assert(
    fc.property(names, names, flags, fc.array(part, { minLength: 1, maxLength: 4 }), (rooms, except, given, wire) => {
      const payload = encodeBroadcast({ rooms: new Set(rooms), except: new Set(except), flags: given }, wire);
      const read = reader.read(Buffer.from(payload as string));
      expect([...read.recipients.rooms]).toEqual([...new Set(rooms)]);
      expect([...read.recipients.except]).toEqual([...new Set(except)]);
      expect(read.recipients.flags).toEqual({ ...given, local: true });
      expect(read.wire()).toEqual(wire);
    }),
  );
});

it("to everybody, a packet travels as its text and three bytes at most", () => {
  const nobody: ReadonlySet<string> = new Set();
  expect(encodeBroadcast({ rooms: nobody, except: nobody, flags: {} }, ['2["event"]'])).toBe('B\n2["event"]');
});
