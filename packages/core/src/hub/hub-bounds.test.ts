// What a worker may take of its primary's memory, whatever it sends.
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { BatchedOutput } from "./batched-output.ts";
import { FrameReader } from "./frame-reader.ts";
import { GatheredFrames } from "./gathered-frames.ts";
import { Hub } from "./hub.ts";
import { FrameType } from "./hub-frame.ts";
import { maxControlBytes, maxHelloBytes, retainedOverheadBytes } from "./limits.ts";
import { channelNumber, instanceNumber } from "./numbers.ts";
import { Operation, ReplyStatus } from "./requests.ts";
import { RetainedLog } from "./retained-log.ts";

function connect(hub = new Hub(new ManualClock())) {
  let destroyed = false;
  const output = new BatchedOutput();
  const session = hub.connect({
    output,
    overflowed: () => {},
    destroy: () => {
      destroyed = true;
    },
  });
  const send = (put: (batch: GatheredFrames) => void) => {
    const batch = new GatheredFrames();
    put(batch);
    for (const piece of batch.take()) session.receive(piece);
  };
  const hello = () => send((batch) => batch.control({ kind: "hello", endpointId: "1.1" }));
  return { session, output, send, hello, destroyed: () => destroyed };
}

describe("before a worker has said who it is", () => {
  it("no more than a hello is taken", () => {
    const { session, destroyed } = connect();
    const head = Buffer.alloc(5);
    head.writeUInt32BE(maxHelloBytes + 1);
    head[4] = FrameType.control;
    session.receive(head);
    expect(destroyed()).toBe(true);
  });

  it("then messages of any size that is allowed, but nothing so long beside them", () => {
    const { send, hello, destroyed } = connect();
    hello();
    send((batch) => batch.message(1, 1, Buffer.alloc(1_000_000)));
    expect(destroyed()).toBe(false);
    send((batch) => batch.control({ kind: "join", name: "x".repeat(maxControlBytes) }));
    expect(destroyed()).toBe(true);
  });
});

describe("keys", () => {
  it.each([
    ["counterAdd", Operation.counterAdd, [1, 1_000]],
    ["rateTake", Operation.rateTake, [1, 1_000, 0]],
    ["rateAdjust", Operation.rateAdjust, [1, 1_000, -1]],
    ["storeSet", Operation.storeSet, [1_000, 5_000]],
  ] as const)("of %s have a bound in the primary too", async (_, operation, numbers) => {
    const { send, hello, output } = connect();
    hello();
    send((batch) => batch.request(1, operation, [...numbers], "k".repeat(5_000)));
    send((batch) => batch.request(2, operation, operation === Operation.storeSet ? [1_000, 4] : [...numbers], "good"));
    const status = new Map<number, number>();
    const reader = new FrameReader((bytes, start) => {
      if (bytes[start + 4] === FrameType.reply) status.set(bytes.readUInt32BE(start + 5), bytes[start + 9]!);
    });
    for (const piece of output.batch.take()) reader.read(piece);
    expect(status).toEqual(
      new Map([
        [1, ReplyStatus.failed],
        [2, ReplyStatus.done],
      ]),
    );
  });
});

it("a frame that comes in single bytes takes no more room than its bytes", () => {
  const frames: Buffer[] = [];
  const reader = new FrameReader((bytes, start, end) => void frames.push(bytes.subarray(start, end)));
  const frame = Buffer.alloc(100_004, "x");
  frame.writeUInt32BE(100_000);
  for (let at = 0; at < frame.length - 1; at += 1) reader.read(frame.subarray(at, at + 1));
  expect(reader.parts).toBeLessThan(40);
  reader.read(frame.subarray(-1));
  expect(frames).toEqual([frame]);
});

it("what is retained counts with what keeping it takes", () => {
  const log = new RetainedLog<number>({ maxEntries: 1_000, maxBytes: 1_000_000, maxAgeMs: 1_000 }, 0);
  for (let n = 0; n < 100; n += 1) log.append(n, 10, 0);
  log.shrink(50 * (10 + retainedOverheadBytes), retainedOverheadBytes, 0);
  expect(log.size).toBe(50);
  const hub = new Hub(new ManualClock(), 1_000 * retainedOverheadBytes);
  const { send, hello } = connect(hub);
  hello();
  const retention = { maxEntries: 1_000_000, maxBytes: 33_000_000, maxAgeMs: 1_000_000 };
  let kept = 0;
  for (const name of ["one", "another"]) {
    send((batch) => batch.control({ kind: "join", name, retention }));
    send((batch) => {
      for (let n = 0; n < 800; n += 1) batch.retained(channelNumber(name), instanceNumber("1.1")!, n, "");
    });
    kept += 800 - hub.replay(channelNumber(name), 0, 800)!.floor;
  }
  expect(kept).toBeGreaterThan(900);
  expect(kept).toBeLessThanOrEqual(1_000);
});
