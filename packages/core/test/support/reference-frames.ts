/**
 * What bytes mean to one end of the link, read from the table in `frame.ts` in the plainest way: all at once, with no
 * regard for speed. Written apart from the decoder and the session, to be compared with them.
 */
export interface FrameReading {
  /** False: the link must be closed. */
  readonly accepted: boolean;
  /** By stream: the bytes that arrived, in hexadecimal, and what else happened. */
  readonly streams: ReadonlyMap<number, { readonly bytes: string; readonly events: readonly string[] }>;
}

export interface ReadingEnd {
  readonly side: "front" | "worker";
  readonly windowBytes: number;
  readonly maxStreams: number;
  /** Streams that were opened before the first of the bytes, by number, with the credit spent so far. */
  readonly open: readonly number[];
  /** Of those: the ones for which this end has sent CLOSE. */
  readonly closing: readonly number[];
}

interface Stream {
  state: "open" | "ended" | "closing" | "closed";
  allowance: number;
  credit: number;
  bytes: string;
  events: string[];
}

class Refused extends Error {}

export function readFrames(bytes: Buffer, end: ReadingEnd): FrameReading {
  const streams = new Map<number, Stream>();
  const all: [number, Stream][] = [];
  const open = (id: number, credit: number, state: Stream["state"] = "open") => {
    const stream: Stream = { state, allowance: end.windowBytes, credit, bytes: "", events: ["open"] };
    streams.set(id, stream);
    all.push([id, stream]);
  };
  for (const id of end.open) open(id, end.windowBytes, end.closing.includes(id) ? "closing" : "open");

  let greeted = end.open.length > 0 ? end.windowBytes : undefined;
  let highest = Math.max(0, ...end.open);
  const refuse = (): never => {
    throw new Refused();
  };
  const known = (id: number): Stream => {
    const stream = streams.get(id);
    return stream === undefined || stream.state === "closed" ? refuse() : stream;
  };

  const read = (at: number): number | undefined => {
    if (bytes.length - at < 8) return undefined;
    const [type, flags] = [bytes[at]!, bytes[at + 1]!];
    const id = bytes.readUIntBE(at + 2, 3);
    const length = bytes.readUIntBE(at + 5, 3);
    const lengths = { 1: [16, 66], 2: [2, 66], 3: [1, 262_144], 4: [0, 0], 5: [0, 0], 6: [0, 0], 7: [4, 4], 8: [0, 0] };
    const [least, most] = lengths[type as keyof typeof lengths] ?? refuse();
    if (length < least! || length > most!) refuse();
    if (flags > ([2, 3, 5, 6].includes(type) ? 1 : 0)) refuse();
    if ([1, 8].includes(type) ? id !== 0 : id === 0 && type !== 3) refuse();
    const payload = bytes.subarray(at + 8, at + 8 + length);
    // Only DATA counts before it is whole.
    if (payload.length < length && type !== 3) return undefined;
    switch (type) {
      case 1:
        if (payload.readUInt32BE(0) !== 0x4c424c4b || payload.readUInt16BE(4) !== 1) refuse();
        if (greeted !== undefined) refuse();
        greeted = payload.readUInt32BE(8);
        if (greeted < 1 || greeted > 0x7fffffff) refuse();
        break;
      case 2: {
        if (end.side === "front" || greeted === undefined) refuse();
        const free = id <= highest + 1 && id <= end.maxStreams && (streams.get(id)?.state ?? "closed") === "closed";
        if (!free) refuse();
        highest = Math.max(highest, id);
        open(id, greeted!);
        break;
      }
      case 3: {
        if (payload.length === 0) break;
        const stream = known(id);
        if (stream.state === "closing") break;
        if (stream.state === "ended") refuse();
        stream.allowance -= payload.length;
        if (stream.allowance < 0) refuse();
        const last = flags === 1 && payload.length === length;
        if (last && end.side === "worker") refuse();
        stream.bytes += payload.toString("hex");
        if (last) stream.events.push("response end");
        break;
      }
      case 4: {
        if (end.side === "worker") refuse();
        const stream = known(id);
        if (stream.state !== "closing") stream.events.push("response end");
        break;
      }
      case 5: {
        const stream = known(id);
        if (stream.state === "closing") break;
        if (stream.state === "ended") refuse();
        stream.state = "ended";
        stream.events.push(flags === 1 ? "fin, unseen" : "fin");
        break;
      }
      case 6: {
        const stream = known(id);
        if (stream.state !== "closing") stream.events.push(flags === 1 ? "close, unseen" : "close");
        stream.state = "closed";
        break;
      }
      case 7: {
        const stream = known(id);
        if (stream.state === "closing") break;
        stream.credit += payload.readUInt32BE(0);
        if (payload.readUInt32BE(0) === 0 || stream.credit > 0x7fffffff) refuse();
        break;
      }
      case 8:
        if (end.side === "worker" || greeted === undefined) refuse();
        break;
    }
    return payload.length === length ? at + 8 + length : undefined;
  };

  let accepted = true;
  try {
    for (let at: number | undefined = 0; at !== undefined; ) at = read(at);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    accepted = false;
  }
  return { accepted, streams: new Map(all.map(([, { bytes, events }], order) => [order, { bytes, events }])) };
}
