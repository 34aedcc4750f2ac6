import type { Position, RetainedMark } from "@lb/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeSession, encodeSession, isFor } from "./session-record.ts";
import { SessionRooms } from "./session-rooms.ts";

const rooms = ["sid", "red", "blue", "green"];
const set = fc.subarray(rooms).map((names): ReadonlySet<string> => new Set(names));

it("says of every message whether the client was to get it then, as the rooms were at the time", () => {
  const event = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constantFrom("foreign" as const, "own" as const), to: set, except: set }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("toggle" as const), room: fc.constantFrom(...rooms.slice(1)) }),
    },
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const sessionRooms = new SessionRooms();
      const inside = new Set<string>();
      // The instance's position; its own messages are numbered two messages later.
      let at: Position = { sequence: 10, count: 3, at: "1.1" };
      const unnumbered: { count: number }[] = [];
      const messages: { mark: RetainedMark; to: ReadonlySet<string>; except: ReadonlySet<string>; was: boolean }[] = [];
      const join = (room: string) => {
        sessionRooms.join(room, at);
        inside.add(room);
      };
      const wasFor = (to: ReadonlySet<string>, except: ReadonlySet<string>) =>
        inside.has("sid") &&
        (to.size === 0 || [...to].some((room) => inside.has(room))) &&
        ![...except].some((room) => inside.has(room));
      const numberOwn = (keep: number) => {
        while (unnumbered.length > keep) {
          const { count } = unnumbered.shift()!;
          at = { ...at, sequence: at.sequence + 1 };
          const own = messages.find(({ mark }) => mark.from === "1.1" && mark.count === count)!;
          own.mark = { ...own.mark, sequence: at.sequence };
        }
      };
      for (const [index, one] of events.entries()) {
        if (index === 5) join("sid");
        switch (one.kind) {
          case "foreign":
            at = { ...at, sequence: at.sequence + 1 };
            messages.push({
              mark: { sequence: at.sequence, count: index, from: "2.1" },
              to: one.to,
              except: one.except,
              was: wasFor(one.to, one.except),
            });
            break;
          case "own":
            at = { ...at, count: at.count + 1 };
            unnumbered.push({ count: at.count });
            messages.push({
              mark: { sequence: Number.POSITIVE_INFINITY, count: at.count, from: "1.1" },
              to: one.to,
              except: one.except,
              was: wasFor(one.to, one.except),
            });
            break;
          case "toggle":
            if (!inside.has("sid")) break;
            if (inside.delete(one.room)) sessionRooms.leave(one.room, at);
            else join(one.room);
            break;
        }
        numberOwn(2);
      }
      numberOwn(0);
      const record = {
        sid: "sid",
        pid: "pid",
        rooms: sessionRooms.stays,
        data: { a: 1 },
        confirmed: at,
        owner: "1.1",
        connected: true,
      };
      const read = decodeSession(encodeSession(record));
      expect(read).toEqual(record);
      expect(sessionRooms.current().sort()).toEqual([...inside].sort());
      for (const { mark, to, except, was } of messages) {
        expect(isFor(read, mark, { rooms: to, except, flags: {} })).toBe(was);
      }
    }),
    { numRuns: 300 },
  );
});

it("remembers no more than so many stays that are over", () => {
  const sessionRooms = new SessionRooms();
  for (let sequence = 0; sequence < 1_000; sequence += 1) {
    const at = { sequence, count: 0, at: "1.1" };
    sessionRooms.join(`room ${sequence}`, at);
    sessionRooms.leave(`room ${sequence}`, at);
  }
  expect(sessionRooms.stays.size).toBe(32);
  expect([...sessionRooms.stays.keys()][0]).toBe("room 968");
});
