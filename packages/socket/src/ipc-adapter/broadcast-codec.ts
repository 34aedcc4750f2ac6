import type { Payload } from "@lb/core";
import type { BroadcastFlags, Room } from "socket.io-adapter";
import type { Wire } from "./wire-packet.ts";

/** To whom a broadcast goes. */
export interface Recipients {
  readonly rooms: ReadonlySet<Room>;
  readonly except: ReadonlySet<Room>;
  readonly flags: BroadcastFlags;
}

/** What a message begins with. */
export const Kind = {
  /** Recipients as JSON, a line feed, the packet's text. */
  text: 0x42,
  /** The same with lengths, for packets of several parts or of bytes. */
  parts: 0x62,
  /** A message of the base class, or the answer to one. */
  cluster: 0x6d,
  /** Two instances agree on who has a session. */
  session: 0x73,
} as const;

const lineFeed = 0x0a;
const everybody: Recipients = { rooms: new Set(), except: new Set(), flags: { local: true } };

export function encodeBroadcast({ rooms, except, flags }: Recipients, wire: Wire): Payload {
  const head = isEverybody(rooms, except, flags) ? "" : JSON.stringify([[...rooms], [...except], flags]);
  const [text] = wire;
  if (wire.length === 1 && typeof text === "string") return `B${head}\n${text}`;
  const pieces: Buffer[] = [Buffer.from(`b${head}\n`)];
  for (const part of wire) {
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    const length = Buffer.alloc(5);
    length[0] = typeof part === "string" ? 0 : 1;
    length.writeUInt32BE(bytes.length, 1);
    pieces.push(length, bytes);
  }
  return Buffer.concat(pieces);
}

function isEverybody(rooms: ReadonlySet<Room>, except: ReadonlySet<Room>, flags: BroadcastFlags): boolean {
  if (rooms.size > 0 || except.size > 0) return false;
  return Object.values(flags).every((flag) => flag === undefined);
}

/** A broadcast as it was received, `local` by its flags, for it is not to be sent on; its packet is read when somebody here is to get it. */
export interface ReceivedBroadcast {
  readonly recipients: Recipients;
  wire(): Wire;
}

/** `payload` begins with one of the two kinds of broadcasts. */
export class BroadcastReader {
  /** The same few recipients come again and again. */
  readonly #known = new Map<string, Recipients>();

  read(payload: Buffer): ReceivedBroadcast {
    const end = payload.indexOf(lineFeed);
    const recipients = end === 1 ? everybody : this.#recipients(payload.toString("utf8", 1, end));
    const isText = payload[0] === Kind.text;
    return {
      recipients,
      wire: () => (isText ? [payload.toString("utf8", end + 1)] : readParts(payload, end + 1)),
    };
  }

  #recipients(head: string): Recipients {
    let recipients = this.#known.get(head);
    if (recipients === undefined) {
      const [rooms, except, flags] = JSON.parse(head) as [Room[], Room[], BroadcastFlags?];
      recipients = { rooms: new Set(rooms), except: new Set(except), flags: { ...flags, local: true } };
      if (this.#known.size >= maxKnown) this.#known.clear();
      if (head.length <= maxKnownLength) this.#known.set(head, recipients);
    }
    return recipients;
  }
}

const maxKnown = 1_000;
const maxKnownLength = 1_000;

function readParts(payload: Buffer, from: number): Wire {
  const parts: (string | Buffer)[] = [];
  for (let at = from; at < payload.length; ) {
    const start = at + 5;
    const end = start + payload.readUInt32BE(at + 1);
    parts.push(payload[at] === 0 ? payload.toString("utf8", start, end) : payload.subarray(start, end));
    at = end;
  }
  return parts;
}
