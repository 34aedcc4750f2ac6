import { type Position, type RetainedMark, retainedPosition } from "@lb/core";
import type { Recipients } from "./broadcast-codec.ts";
import { decodeStructured, encodeStructured } from "./structured.ts";

/** A stay in a room: it got what came after `since`, and, if it has left, nothing after `until`. */
export interface Stay {
  readonly since: Position;
  readonly until: Position | undefined;
}

/** What is kept of a client, so that it can be what it was at another instance. */
export interface SessionRecord {
  readonly sid: string;
  readonly pid: string;
  /** The stays in each room, the current one last. */
  readonly rooms: ReadonlyMap<string, readonly Stay[]>;
  readonly data: unknown;
  /** It has received what was sent up to here; undefined: as far as is known, only what it says itself. */
  readonly confirmed: Position | undefined;
  /** The instance that has it, or had it last. */
  readonly owner: string;
  /** The client was connected there when this was written. */
  readonly connected: boolean;
}

type RoomRow = readonly [room: string, ...positions: string[]];

/** Positions repeat from room to room, so they are written as text, which the structured form writes once each. */
export function encodeSession({ sid, pid, rooms, data, confirmed, owner, connected }: SessionRecord): Buffer {
  const { format } = retainedPosition;
  const rows: RoomRow[] = [];
  for (const [room, stays] of rooms) {
    rows.push([
      room,
      ...stays.flatMap(({ since, until }) => [format(since), until === undefined ? "" : format(until)]),
    ]);
  }
  return encodeStructured([sid, pid, rows, data, confirmed === undefined ? "" : format(confirmed), owner, connected]);
}

/** @throws Error for what `encodeSession` has not written */
export function decodeSession(bytes: Buffer): SessionRecord {
  const [sid, pid, rows, data, confirmed, owner, connected] = decodeStructured(bytes) as [
    string,
    string,
    RoomRow[],
    unknown,
    string,
    string,
    boolean,
  ];
  const rooms = new Map<string, Stay[]>();
  for (const [room, ...positions] of rows) {
    const stays: Stay[] = [];
    for (let index = 0; index < positions.length; index += 2) {
      const [since, until] = [positions[index]!, positions[index + 1]!].map(retainedPosition.parse);
      if (since !== undefined) stays.push({ since, until });
    }
    rooms.set(room, stays);
  }
  return { sid, pid, rooms, data, confirmed: retainedPosition.parse(confirmed), owner, connected };
}

/** Whether this client was to get a message, by the rooms it was in at the time. */
export function isFor(
  { sid, rooms }: Pick<SessionRecord, "sid" | "rooms">,
  mark: RetainedMark,
  recipients: Recipients,
): boolean {
  const wasIn = (room: string) => rooms.get(room)?.some((stay) => includes(stay, mark)) ?? false;
  // Everybody is in the room of his own name, from the connection on.
  if (recipients.rooms.size === 0) return wasIn(sid) && !some(recipients.except, wasIn);
  return some(recipients.rooms, wasIn) && !some(recipients.except, wasIn);
}

function includes({ since, until }: Stay, mark: RetainedMark): boolean {
  const { covers } = retainedPosition;
  return !covers(since, mark) && (until === undefined || covers(until, mark));
}

function some(rooms: ReadonlySet<string>, test: (room: string) => boolean): boolean {
  for (const room of rooms) if (test(room)) return true;
  return false;
}
