// Flow control both ways (RFC 9113 §5.2, §6.9), and whose turn it is.
import { describe, expect, test } from "vitest";
import {
  endHeaders,
  endStream,
  frame,
  preface,
  request,
  requestFields,
  setting,
  uint32,
} from "../../test/support/http2-frames.ts";
import { blockLines, MemorySession } from "../../test/support/memory-http2.ts";

const head = Buffer.of(0x88);
const post = (stream: number) => request(stream, requestFields("/", [], "POST"), endHeaders);
const body = (stream: number, length: number, flags = 0) =>
  frame("data", { stream, flags, payload: Buffer.alloc(length, "b") });
const open = (stream: number, increment: number) => frame("windowUpdate", { stream, payload: uint32(increment) });

/** With so many streams, whose windows have so much, and the connection's as much as there can be. */
function opened(streams: number, windowBytes = 65_535, limits = {}): MemorySession {
  const opening = [preface, frame("settings", { payload: setting(4, windowBytes) }), open(0, 2 ** 31 - 1 - 65_535)];
  const memory = new MemorySession(limits, Buffer.concat(opening));
  for (let at = 0; at < streams; at++) memory.receive(request(2 * at + 1));
  memory.frames();
  return memory;
}

describe("what we send", () => {
  test("a small response is a head and a frame, in one write", () => {
    const memory = opened(1);
    const { stream } = memory.users[0]!;
    stream.respond(head, false);
    expect(stream.send(Buffer.from("-body-"), 1, 5, true)).toBe(true);
    expect(memory.writes).toEqual([]);
    memory.endTurn();
    expect(memory.writes).toHaveLength(1);
    expect(memory.users[0]?.closes).toBe(1);
    const frames = memory.frames();
    expect(frames.map(({ payload }) => payload.toString("latin1"))).toEqual(["\x88", "body"]);
    expect(frames[1]?.flags).toBe(endStream);
  });

  test("more than the window waits, without being copied if it is much, and goes as the window opens", () => {
    const memory = opened(1, 10);
    const { stream } = memory.users[0]!;
    const bytes = Buffer.alloc(40_000, "x");
    expect(stream.send(bytes, 0, bytes.length)).toBe(false);
    expect([stream.lent, memory.said]).toEqual([true, ["data 1 10"]]);
    stream.finish();
    memory.receive(open(1, 20_000));
    expect(memory.said).toEqual(["data 1 16384", "data 1 3616"]);
    expect([memory.users[0]?.drains, stream.lent]).toEqual([0, true]);
    memory.receive(open(1, 40_000));
    expect(memory.said).toEqual(["data 1 16384", "data 1 3606 end"]);
    expect([stream.lent, memory.users[0]?.closes]).toEqual([false, 1]);
  });

  test("a little is copied, and whoever gave it has his buffer back", () => {
    const memory = opened(1, 0);
    const { stream } = memory.users[0]!;
    const bytes = Buffer.from("abc");
    expect(stream.send(bytes, 0, 3)).toBe(false);
    expect(stream.lent).toBe(false);
    bytes.fill("z");
    memory.receive(open(1, 10));
    expect(memory.frames().map(({ payload }) => payload.toString())).toEqual(["abc"]);
    expect(memory.users[0]?.drains).toBe(1);
  });

  test("streams that wait for the same window take turns", () => {
    const memory = new MemorySession({}, Buffer.concat([preface, frame("settings", { payload: setting(4, 2 ** 30) })]));
    memory.receive(request(1), request(3), request(5)).frames();
    const bytes = Buffer.alloc(60_000);
    for (const { stream } of memory.users) stream.send(bytes, 0, bytes.length, true);
    // The window of all was 65,535.
    expect(memory.said).toEqual(["data 1 16384", "data 1 16384", "data 1 16384", "data 1 10848 end", "data 3 5535"]);
    memory.receive(open(0, 70_000));
    expect(memory.said).toEqual(["data 3 16384", "data 5 16384", "data 3 16384", "data 5 16384", "data 3 4464"]);
    memory.receive(open(0, 70_000));
    expect(memory.said).toEqual(["data 5 16384", "data 3 16384", "data 5 10848 end", "data 3 849 end"]);
  });

  test("a stream whose window is shut holds up no other", () => {
    const memory = opened(2, 0);
    const [one, two] = memory.users;
    one?.stream.send(Buffer.from("one"), 0, 3, true);
    two?.stream.send(Buffer.from("two"), 0, 3, true);
    memory.receive(open(3, 3));
    expect(memory.said).toEqual(["data 3 3 end"]);
  });

  test("a window that has become smaller than what was sent is negative until it has caught up (§6.9.2)", () => {
    const memory = opened(1, 10);
    const { stream } = memory.users[0]!;
    stream.send(Buffer.alloc(15), 0, 15, true);
    memory.receive(frame("settings", { payload: setting(4, 2) }), open(1, 8));
    expect(memory.said).toEqual(["data 1 10", "settings ack"]);
    memory.receive(frame("settings", { payload: setting(4, 7) }));
    expect(memory.said).toEqual(["settings ack", "data 1 5 end"]);
  });

  test("a socket that takes no more stops DATA, and nothing else", () => {
    const memory = opened(2, 2 ** 30);
    const [one, two] = memory.users;
    memory.full = true;
    expect(one?.stream.send(Buffer.alloc(100_000), 0, 100_000)).toBe(false);
    memory.frames();
    two?.stream.respond(head, false);
    expect(two?.stream.send(Buffer.from("two"), 0, 3, true)).toBe(false);
    memory.receive(frame("ping", { payload: Buffer.alloc(8) }));
    expect(memory.said).toEqual(["headers 3", "ping ack"]);
    memory.full = false;
    memory.session.drained();
    expect(memory.said.at(-1)).toMatch(/^data 1 \d+$/);
    expect(one?.drains).toBe(1);
    expect(two?.closes).toBe(1);
  });

  test("a response of megabytes is written in pieces of 64 KB", () => {
    const memory = opened(1, 2 ** 30);
    memory.users[0]?.stream.send(Buffer.alloc(1_000_000), 0, 1_000_000, true);
    memory.endTurn();
    expect(Math.max(...memory.writes.map(({ length }) => length))).toBeLessThanOrEqual(66_560);
    expect(memory.said).toHaveLength(Math.ceil(1_000_000 / 16_384));
  });

  test("a head of 40,000 octets goes on in CONTINUATION, and trailers end a response", () => {
    const memory = opened(1);
    const { stream } = memory.users[0]!;
    stream.respond(Buffer.alloc(40_000, 0x88), false);
    stream.send(Buffer.from("x"), 0, 1);
    stream.finish(head);
    const frames = memory.frames();
    expect(frames.map(({ type, flags, payload }) => [type, flags, payload.length])).toEqual([
      ["headers", 0, 16_384],
      ["continuation", 0, 16_384],
      ["continuation", endHeaders, 7_232],
      ["data", 0, 1],
      ["headers", endHeaders | endStream, 1],
    ]);
  });

  test("a client whose table has become smaller is told that ours has, once (RFC 7541 §4.2)", () => {
    const memory = opened(2);
    memory.receive(frame("settings", { payload: setting(1, 100) })).frames();
    for (const { stream } of memory.users) stream.respond(head, true);
    const [first, second] = memory.frames();
    expect([first?.payload.toString("hex"), second?.payload.toString("hex")]).toEqual(["2088", "88"]);
    expect(blockLines(first!.payload)).toEqual([":status: 200"]);
  });

  test("nothing goes behind the end", () => {
    const memory = opened(1);
    const { stream } = memory.users[0]!;
    stream.respond(head, true);
    stream.respond(head, false);
    stream.send(Buffer.from("x"), 0, 1);
    stream.finish();
    stream.reset(8);
    expect(memory.said).toEqual(["headers 1 end"]);
    expect(memory.users[0]?.closes).toBe(1);
  });

  test("a client that sends on is told to stop when it has its answer (§8.1), unless it has ended by then", () => {
    const memory = opened(0, 2);
    memory.receive(post(1), post(3)).frames();
    const [one, two] = memory.users;
    for (const user of memory.users) {
      user.stream.respond(head, false);
      user.stream.send(Buffer.from("answer"), 0, 6, true);
      user.stream.refuseRest();
    }
    memory.receive(body(1, 10), body(3, 10, endStream));
    expect(memory.said).toEqual(["headers 1", "data 1 2", "headers 3", "data 3 2"]);
    memory.receive(open(1, 10), open(3, 10));
    expect(memory.said).toEqual(["data 1 4 end", "rstStream 1 NO_ERROR", "data 3 4 end"]);
    expect([one?.body, two?.body, one?.closes, two?.closes]).toEqual(["", "", 1, 1]);
    // What was on its way.
    memory.receive(body(1, 10), body(1, 10, endStream));
    expect(memory.said).toEqual([]);
  });
});

describe("what we receive", () => {
  test("a window is opened again when half of it was read; the connection's at once, a stream's when it is read", () => {
    const memory = opened(0);
    memory.receive(post(1)).frames();
    const { stream } = memory.users[0]!;
    stream.pause();
    for (let at = 0; at < 4; at++) memory.receive(body(1, 16_000));
    expect(memory.said).toEqual([]);
    stream.resume();
    expect(memory.said).toEqual(["windowUpdate 1 64000"]);
    for (let at = 0; at < 5; at++) memory.receive(body(1, 16_000));
    expect(memory.said).toEqual(["windowUpdate 1 48000", "windowUpdate 0 144000"]);
    expect(memory.users[0]?.body).toHaveLength(144_000);
  });

  test("padding counts, and is given back", () => {
    const memory = opened(0);
    memory.receive(post(1)).frames();
    const padded = frame("data", { stream: 1, flags: 8, payload: Buffer.concat([Buffer.of(255), Buffer.alloc(255)]) });
    for (let at = 0; at < 128; at++) memory.receive(padded);
    expect(memory.said).toEqual(["windowUpdate 1 32768"]);
    expect(memory.users[0]?.body).toBe("");
  });

  test("more than a window is an error of the connection, and what is kept is never more", () => {
    const memory = opened(0);
    memory.reads = false;
    memory.receive(post(1));
    for (let at = 0; at < 4; at++) memory.receive(body(1, 16_383));
    expect(memory.told).toEqual(["settings"]);
    memory.receive(body(1, 4));
    expect(memory.told).toEqual(["settings", "failed: FLOW_CONTROL_ERROR"]);
  });

  test("many streams that are not read hold up all in the end, and go on when one is read, or given up", () => {
    const memory = opened(0, 65_535, { connectionWindowBytes: 65_535 });
    memory.reads = false;
    const ids = Array.from({ length: 9 }, (_, at) => 2 * at + 1);
    memory.receive(...ids.map(post)).frames();
    let sent = 0;
    let allowed = 65_535;
    const send = () => {
      for (let at = sent; at < sent + 40; at++) {
        if (allowed < 14_000) break;
        memory.receive(body(ids[at % ids.length]!, 14_000));
        allowed -= 14_000;
        sent++;
        for (const { type, stream, payload } of memory.frames()) {
          if (type === "windowUpdate" && stream === 0) allowed += payload.readUInt32BE(0);
        }
      }
    };
    send();
    expect(allowed).toBeLessThan(14_000);
    // Four windows, and what was on its way.
    expect(sent * 14_000).toBeLessThan(6 * 65_535);
    const before = sent;
    memory.users[0]?.stream.reset(8);
    memory.users[1]?.stream.resume();
    allowed += memory
      .frames()
      .filter(({ type, stream }) => type === "windowUpdate" && stream === 0)
      .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);
    expect(allowed).toBeGreaterThan(50_000);
    memory.receive(body(5, 14_000));
    expect([before < 30, memory.told]).toEqual([true, ["settings"]]);
  });

  test("what is for nobody counts for the connection's window", () => {
    const memory = opened(0);
    memory.receive(post(1)).frames();
    memory.users[0]?.stream.reset(8);
    for (let at = 0; at < 9; at++) memory.receive(body(1, 16_000));
    expect(memory.said).toEqual(["rstStream 1 CANCEL", "windowUpdate 0 144000"]);
  });
});
