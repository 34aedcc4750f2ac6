import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryLink, RecordingEnd } from "../../test/support/memory-link.ts";
import { DEFAULT_HELLO, FLAG_UNSEEN, type Hello, type StreamClient } from "./frame.ts";

const client: StreamClient = { address: "192.0.2.7", port: 4_711, encrypted: true };
const hello = (windowBytes: number, maxStreams = 1_000): Hello => ({ windowBytes, maxStreams });

/** Bytes that tell their stream and their place. */
function pattern(stream: number, from: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (stream * 37 + from + i) % 251;
  return bytes;
}

function opened(link: ReturnType<typeof memoryLink>, streams = 1) {
  link.settle();
  return Array.from({ length: streams }, (_, i) => {
    const front = new RecordingEnd(link.front.session);
    expect(link.front.session.attach(front, client)).toBe(true);
    link.settle();
    return { front, worker: link.worker.owner.accepted[i]! };
  });
}

const link = (windowBytes = DEFAULT_HELLO.windowBytes, capacity?: number) =>
  memoryLink({ front: hello(windowBytes), worker: hello(windowBytes) }, capacity);

describe("streams", () => {
  it("open with the client's address once both have greeted", () => {
    const both = link();
    expect(both.front.session.attach(new RecordingEnd(both.front.session), client)).toBe(false);
    const [stream] = opened(both);
    expect(both.front.owner.events).toEqual(["ready"]);
    expect(both.worker.owner.clients).toEqual([client]);
    stream!.front.give(Buffer.from("ping"));
    stream!.worker.give(Buffer.from("pong"));
    both.settle();
    expect(stream!.worker.received.toString()).toBe("ping");
    expect(stream!.front.received.toString()).toBe("pong");
  });

  it("keep what is sent before the number is known", () => {
    const both = link();
    both.settle();
    const stream = new RecordingEnd(both.front.session);
    expect(stream.give(Buffer.from("early"))).toBe("queued");
    stream.sendFin(0);
    both.front.session.attach(stream, client);
    both.settle();
    expect(stream.ready).toBe(true);
    expect(both.worker.owner.accepted[0]!.received.toString()).toBe("early");
    expect(both.worker.owner.accepted[0]!.events).toEqual(["open", "fin"]);
  });

  it("mark the response's end with its last bytes, behind queued ones, or alone", () => {
    const both = link(8);
    const [stream] = opened(both);
    const { front, worker } = stream!;
    worker.give(Buffer.from("abc"));
    worker.sendResponseEnd();
    both.worker.wire.endTurn();
    expect(both.worker.wire.pendingBytes).toBe(8 + 3);
    both.settle();
    expect(front.events).toEqual(["open", "response end"]);
    front.consume(3);

    expect(worker.give(Buffer.from("0123456789"))).toBe("queued");
    worker.sendResponseEnd();
    both.settle();
    expect(front.events).toHaveLength(2);
    front.consume(8);
    both.settle();
    expect(front.received.toString()).toBe("abc0123456789");
    expect(front.events).toEqual(["open", "response end", "response end"]);

    both.settle();
    worker.sendResponseEnd();
    both.settle();
    expect(front.events).toHaveLength(4);
  });

  it("half-close each way on its own, and close when both sides say so", () => {
    const both = link();
    const [stream] = opened(both);
    const { front, worker } = stream!;
    front.sendFin(0);
    both.settle();
    worker.give(Buffer.from("still here"));
    worker.sendFin(FLAG_UNSEEN);
    both.settle();
    expect(worker.events).toEqual(["open", "fin"]);
    expect(front.received.toString()).toBe("still here");
    expect(front.events).toEqual(["open", "fin, unseen"]);
    worker.close(0);
    both.settle();
    expect([front.phase, worker.phase]).toEqual(["closed", "closed"]);
    expect([both.front.session.streams, both.worker.session.streams]).toEqual([0, 0]);
    expect(both.front.owner.events).toEqual(["ready", "last stream"]);
  });

  it("drop what comes for a stream that this side has just closed", () => {
    const both = link();
    const [stream] = opened(both);
    const { front, worker } = stream!;
    worker.give(Buffer.from("too late"));
    worker.sendResponseEnd();
    worker.sendFin(0);
    both.worker.wire.endTurn();
    front.close(0);
    both.settle();
    expect(front.received.length).toBe(0);
    expect(front.events).toEqual(["open"]);
    expect(worker.events).toEqual(["open", "close"]);
    expect(both.front.owner.down).toBeUndefined();
  });

  it("reuse a number only after both have closed, so that nothing old arrives on it", () => {
    const both = link();
    const [first] = opened(both);
    first!.worker.give(Buffer.from("old"));
    both.worker.wire.endTurn();
    first!.front.close(0);
    const second = new RecordingEnd(both.front.session);
    both.front.session.attach(second, client);
    expect(second.id).toBe(2);
    both.settle();
    const third = new RecordingEnd(both.front.session);
    both.front.session.attach(third, client);
    expect(third.id).toBe(1);
    both.settle();
    both.worker.owner.accepted[2]!.give(Buffer.from("new"));
    both.settle();
    expect(third.received.toString()).toBe("new");
    expect(second.received.length).toBe(0);
  });

  it("are refused beyond the number that the worker allows", () => {
    const both = memoryLink({ front: hello(100), worker: hello(100, 2) });
    opened(both, 2);
    expect(both.front.session.attach(new RecordingEnd(both.front.session), client)).toBe(false);
    expect(both.front.owner.down).toBeUndefined();
  });

  it("are all lost with the link, each told once", () => {
    const both = link();
    const streams = opened(both, 3);
    streams[0]!.front.close(0);
    both.front.session.lost(new Error("gone"));
    both.front.session.lost();
    expect(streams.map(({ front }) => front.events.at(-1))).toEqual(["LB_LINK_LOST", "LB_LINK_LOST", "LB_LINK_LOST"]);
    expect(both.front.owner.down).toMatchObject({ code: "LB_LINK_LOST", cause: { message: "gone" } });
    expect(both.front.wire.state).toBe("destroyed");
  });

  it("end with the link without an error when this side ends it", () => {
    const both = link();
    const [stream] = opened(both);
    stream!.front.give(Buffer.from("last words"));
    both.front.session.end();
    both.front.session.lost();
    both.settle();
    expect(stream!.worker.received.toString()).toBe("last words");
    expect(both.front.wire.state).toBe("ended");
    expect(both.front.owner.down).toBeUndefined();
  });
});

describe("flow control", () => {
  it("costs a short exchange no frame", () => {
    const both = link();
    const [stream] = opened(both);
    stream!.front.give(Buffer.alloc(700));
    both.settle();
    expect(stream!.worker.consume(700)).toBe(true);
    expect(both.worker.wire.endTurn()).toBe(false);
  });

  it("lends large buffers until their batch was written", () => {
    const both = link();
    const [stream] = opened(both);
    const { worker } = stream!;
    expect(worker.give(Buffer.alloc(100_000))).toBe("lent");
    both.worker.session.awaitWritten(worker, worker.lentBatch);
    both.worker.wire.endTurn();
    expect(worker.events).toEqual(["open"]);
    both.settle();
    expect(worker.events).toEqual(["open", "written"]);
    both.worker.session.awaitWritten(worker, worker.lentBatch);
    expect(worker.events).toEqual(["open", "written", "written"]);
  });

  it("leaves the other streams alone when one does not read", () => {
    const both = link(1_000);
    const [slow, quick] = opened(both, 2);
    slow!.worker.give(pattern(1, 0, 5_000));
    for (let i = 0; i < 20; i++) {
      quick!.worker.give(pattern(2, i * 900, 900));
      both.settle();
      quick!.front.consume(900);
      both.settle();
    }
    expect(quick!.front.received.length).toBe(18_000);
    expect(slow!.front.mostUnread).toBe(1_000);
  });

  it("never lets a side hold more than its window, loses nothing and never stops for good", () => {
    const step = fc.record({
      stream: fc.nat({ max: 3 }),
      fromFront: fc.boolean(),
      act: fc.oneof(
        { weight: 4, arbitrary: fc.record({ send: fc.integer({ min: 1, max: 3_000 }) }) },
        { weight: 1, arbitrary: fc.record({ send: fc.integer({ min: 3_000, max: 150_000 }) }) },
        { weight: 2, arbitrary: fc.record({ consume: fc.integer({ min: 1, max: 30 }) }) },
        { weight: 2, arbitrary: fc.record({ consume: fc.integer({ min: 30, max: 5_000 }) }) },
        { weight: 4, arbitrary: fc.record({ deliver: fc.integer({ min: 1, max: 9_000 }) }) },
        { weight: 2, arbitrary: fc.constant({ turn: true as const }) },
        { weight: 3, arbitrary: fc.constant({ settle: true as const }) },
        { weight: 1, arbitrary: fc.constant({ fin: true as const }) },
      ),
    });
    const windows = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 50, max: 300_000 }));
    fc.assert(
      fc.property(
        windows,
        windows,
        fc.constantFrom(Number.POSITIVE_INFINITY, 10_000),
        fc.array(step, { maxLength: 120 }),
        (frontWindow, workerWindow, capacity, steps) => {
          const both = memoryLink({ front: hello(frontWindow), worker: hello(workerWindow) }, capacity);
          const streams = opened(both, 4).map((ends) => ({ ...ends, sent: { front: 0, worker: 0 } }));
          for (const { stream, fromFront, act } of steps) {
            const side = fromFront ? "front" : "worker";
            const { [side]: end, sent } = streams[stream]!;
            if ("send" in act) {
              // What takes thousands of grants only takes long.
              const bound = 100 * (fromFront ? workerWindow : frontWindow);
              if (!end.ready || end.finSent || sent[side] + act.send > bound) continue;
              end.give(pattern(stream, sent[side], act.send));
              sent[side] += act.send;
            } else if ("consume" in act) end.consume(act.consume);
            else if ("deliver" in act) both[side].wire.deliver(act.deliver);
            else if ("settle" in act) both.settle();
            else if ("fin" in act) end.sendFin(0);
            else both[side].wire.endTurn();
          }
          const ends = streams.flatMap(({ front, worker }) => [front, worker]);
          for (let moved = true; moved; ) {
            both.settle();
            // Part by part, so that grants are made while something is still unread.
            moved = ends.filter((end) => end.consume(Math.max(1, Math.floor(end.unread * 0.7)))).length > 0;
          }
          expect(both.front.owner.down ?? both.worker.owner.down).toBeUndefined();
          streams.forEach(({ front, worker, sent }, stream) => {
            expect(front.mostUnread).toBeLessThanOrEqual(frontWindow);
            expect(worker.mostUnread).toBeLessThanOrEqual(workerWindow);
            expect(worker.received.equals(pattern(stream, 0, sent.front))).toBe(true);
            expect(front.received.equals(pattern(stream, 0, sent.worker))).toBe(true);
            expect([front.drained, worker.drained]).toEqual([true, true]);
            expect([front.finReceived, worker.finReceived]).toEqual([worker.finSent, front.finSent]);
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  it("stops handing out DATA while the wire is congested, but not WINDOW and CLOSE", () => {
    const both = link(262_144, 1_000);
    const [bulk, other] = opened(both, 2);
    bulk!.worker.give(Buffer.alloc(200_000));
    both.worker.wire.endTurn();
    expect(both.worker.session.congested).toBe(true);
    const inWire = both.worker.wire.pendingBytes;
    expect(other!.worker.give(Buffer.from("waits"))).toBe("queued");
    other!.worker.close(0);
    both.worker.wire.endTurn();
    expect(both.worker.wire.pendingBytes).toBe(inWire + 8);
    both.settle();
    bulk!.front.consume(200_000);
    expect(bulk!.front.received.length).toBe(200_000);
    expect(other!.front.events).toEqual(["open", "close"]);
  });
});
