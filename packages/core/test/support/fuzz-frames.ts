import { isDeepStrictEqual } from "node:util";
import type { StreamClient } from "../../src/link/frame.ts";
import { FrameBatch } from "../../src/link/frame-batch.ts";
import type { Random } from "../../src/model/random.ts";
import type { FuzzCase, FuzzTarget } from "./fuzz.ts";
import { type MemoryEnd, memoryEnd, RecordingEnd } from "./memory-link.ts";
import { integerBelow, pick } from "./mutate.ts";
import { type FrameReading, type ReadingEnd, readFrames } from "./reference-frames.ts";

/**
 * Bytes on the link, from proper frames to noise, at either end: what they are taken for is what the plain reading of the
 * protocol says, however they are split; what the protocol does not allow closes the link and leaves nothing open; and no
 * answer is longer than what it answers.
 */
export const frameTarget: FuzzTarget = { name: "frames", check };

const windowBytes = 3_000;
const maxStreams = 6;
const client: StreamClient = { address: "192.0.2.1", port: 80, encrypted: false };

const ends: readonly ReadingEnd[] = [
  { side: "worker", windowBytes, maxStreams, open: [], closing: [] },
  { side: "worker", windowBytes, maxStreams, open: [1, 2, 3], closing: [3] },
  { side: "front", windowBytes, maxStreams, open: [], closing: [] },
  { side: "front", windowBytes, maxStreams, open: [1, 2, 3], closing: [2] },
];

function check(random: Random): FuzzCase {
  const end = pick(ends, random);
  const bytes = changed(compose(end, random), random);
  const expected = readFrames(bytes, end);
  const everywhere = Array.from({ length: bytes.length }, () => 1);
  const some = Array.from({ length: 8 }, () => 1 + integerBelow(bytes.length, random));
  for (const reads of [[bytes.length], some, ...(bytes.length < 1_500 ? [everywhere] : [])]) {
    const divergence = divergenceOf(bytes, reads, end, expected);
    if (divergence !== undefined) return { bytes, accepted: expected.accepted, divergence };
  }
  return { bytes, accepted: expected.accepted };
}

/** An end in the state that `reading` describes, and its ends in the order of their opening. */
function prepare(reading: ReadingEnd): { end: MemoryEnd; ends: readonly RecordingEnd[] } {
  const end = memoryEnd(reading.side, { windowBytes, maxStreams });
  const attached: RecordingEnd[] = [];
  if (reading.open.length > 0) {
    const batch = new FrameBatch();
    batch.hello({ windowBytes, maxStreams });
    if (reading.side === "worker") for (const id of reading.open) batch.open(id, client);
    end.session.feed(Buffer.concat(batch.take()));
    if (reading.side === "front") {
      for (const _ of reading.open) {
        const stream = new RecordingEnd(end.session);
        end.session.attach(stream, client);
        attached.push(stream);
      }
    }
  }
  const ends = reading.side === "front" ? attached : end.owner.accepted;
  for (const id of reading.closing) ends[id - 1]!.close(0);
  end.wire.takeAll();
  return { end, ends };
}

function divergenceOf(
  bytes: Buffer,
  reads: readonly number[],
  reading: ReadingEnd,
  expected: FrameReading,
): string | undefined {
  const { end, ends } = prepare(reading);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const until = Math.min(bytes.length, at + reads[i % reads.length]!);
    end.session.feed(bytes.subarray(at, until));
    at = until;
  }
  const accepted = end.owner.down === undefined;
  if (accepted !== expected.accepted) return `The session ${accepted ? "accepts" : "refuses"} it; it should not.`;
  if (end.wire.takeAll().length > bytes.length) return "The answer is longer than what it answers.";
  if (!accepted) {
    if (!end.owner.down!.code.startsWith("LB_LINK_")) return `Refused with ${end.owner.down!.code}.`;
    if (end.wire.state !== "destroyed" || end.session.streams !== 0) return "Refused, and something is left open.";
    return ends.every(({ phase }) => phase === "closed") ? undefined : "Refused, and a stream is left open.";
  }
  if (ends.length !== expected.streams.size) return "The number of streams differs.";
  for (const [order, stream] of expected.streams) {
    const { received, events } = ends[order]!;
    if (received.toString("hex") !== stream.bytes) return `The bytes of stream ${order} differ.`;
    if (!isDeepStrictEqual(events, stream.events)) return `What happens on stream ${order} differs.`;
  }
  return undefined;
}

/** Frames that a peer could send, most of them in order. */
function compose(end: ReadingEnd, random: Random): Buffer {
  const batch = new FrameBatch();
  if (end.open.length === 0) batch.hello({ windowBytes: 1 + integerBelow(300_000, random), maxStreams });
  let next = end.open.length + 1;
  for (let count = integerBelow(20, random); count > 0; count--) {
    const id = 1 + integerBelow(random() < 0.95 ? Math.max(1, next - 1) : maxStreams + 1, random);
    const roll = random();
    if (end.side === "worker" && roll < 0.25) batch.open(random() < 0.9 ? next++ : id, client);
    else if (roll < 0.6) addData(batch, id, end.side === "front" && random() < 0.3, random);
    else if (roll < 0.75) batch.window(id, 1 + integerBelow(random() < 0.9 ? 100_000 : 0xffff_fffe, random));
    else if (roll < 0.85) batch.fin(id, integerBelow(2, random));
    else if (roll < 0.93) batch.close(id, integerBelow(2, random));
    else if (end.side === "front") random() < 0.5 ? batch.responseEnd(id) : batch.goaway();
  }
  return Buffer.concat(batch.take());
}

function addData(batch: FrameBatch, id: number, last: boolean, random: Random): void {
  const length = 1 + integerBelow(random() < 0.9 ? 300 : 5_000, random);
  batch.bytesOf(id, Buffer.alloc(length, integerBelow(256, random)), 0, length);
  if (last) batch.endResponseAt(batch.lastData);
}

/** A third stays as it is. */
function changed(bytes: Buffer, random: Random): Buffer {
  if (random() < 0.33 || bytes.length === 0) return bytes;
  let mutant = bytes;
  for (let count = 1 + integerBelow(3, random); count > 0; count--) {
    const at = integerBelow(mutant.length, random);
    const until = at + 1 + integerBelow(12, random);
    const part = mutant.subarray(at, until);
    const noise = Buffer.from(Array.from({ length: 1 + integerBelow(12, random) }, () => integerBelow(256, random)));
    const [before, after] = [mutant.subarray(0, at), mutant.subarray(until)];
    switch (integerBelow(6, random)) {
      case 0:
        mutant = Buffer.from(mutant);
        mutant[at]! ^= 1 << integerBelow(8, random);
        break;
      case 1:
        mutant = Buffer.concat([before, after]);
        break;
      case 2:
        mutant = Buffer.concat([before, part, part, after]);
        break;
      case 3:
        mutant = Buffer.concat([before, noise, part, after]);
        break;
      case 4:
        mutant = Buffer.from(mutant);
        mutant[at] = pick([0, 1, 2, 3, 8, 9, 0xff], random);
        break;
      case 5:
        mutant = mutant.subarray(0, until);
        break;
    }
    if (mutant.length === 0) return bytes;
  }
  return mutant;
}
