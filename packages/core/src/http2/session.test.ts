// RFC 9113 §3 to §6 and §8, frame by frame, as far as frames alone decide; what is a request is in http2-bad-inputs.test.ts.
import { describe, expect, test } from "vitest";
import {
  ack,
  endHeaders,
  endStream,
  fieldBlock,
  frame,
  hpackInteger,
  preface,
  request,
  requestFields,
  setting,
  uint32,
} from "../../test/support/http2-frames.ts";
import { MemorySession } from "../../test/support/memory-http2.ts";

const empty = Buffer.alloc(0);
const padded = 8;
const priority = 0x20;
const post = (stream: number) => request(stream, requestFields("/", [], "POST"), endHeaders);
const headers = (stream: number, payload: Buffer, flags: number) => frame("headers", { stream, payload, flags });
const data = (stream: number, text: string, flags = 0) =>
  frame("data", { stream, flags, payload: Buffer.from(text, "latin1") });
const rst = (stream: number, code = 8) => frame("rstStream", { stream, payload: uint32(code) });
const open = (stream: number, increment: number) => frame("windowUpdate", { stream, payload: uint32(increment) });

/** A frame of a type, or with a head, that the writer of tests does not know. */
function rawFrame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const bytes = frame("data", { flags, stream, payload });
  bytes[3] = type;
  return bytes;
}

/** An open connection whose greetings have been read. */
function greeted(...args: ConstructorParameters<typeof MemorySession>): MemorySession {
  const memory = new MemorySession(...args);
  memory.frames();
  return memory;
}

const block = fieldBlock(requestFields());
const large = Buffer.alloc(16_385);

describe("the beginning (§3.4)", () => {
  test("our settings come first, and the client's are acknowledged", () => {
    const memory = new MemorySession();
    expect(memory.said).toEqual(["settings", "windowUpdate 0 196605", "settings ack"]);
    expect(memory.told).toEqual(["settings"]);
  });

  test("octet by octet it is the same", () => {
    const bytes = Buffer.concat([preface, frame("settings"), request(1)]);
    const memory = new MemorySession({}, empty).receive(...Array.from(bytes, (octet) => Buffer.of(octet)));
    expect(memory.users.map(({ fields }) => fields)).toEqual([
      [":method: GET", ":scheme: https", ":authority: a.example", ":path: /"],
    ]);
  });

  test.each([
    ["HTTP/1.1", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["another preface", Buffer.from("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")],
    ["no SETTINGS behind it", Buffer.concat([preface, frame("ping", { payload: Buffer.alloc(8) })])],
    ["an acknowledgement behind it", Buffer.concat([preface, frame("settings", { flags: ack })])],
    ["a request behind it", Buffer.concat([preface, request(1)])],
  ])("%s is an error", (_name, opening) => {
    const memory = new MemorySession({}, opening);
    expect(memory.told).toEqual(["failed: PROTOCOL_ERROR"]);
    expect(memory.said.at(-1)).toBe("goaway 0 PROTOCOL_ERROR");
  });
});

describe("errors of the connection", () => {
  const wrong: [section: string, name: string, bytes: Buffer, code: string, last?: number][] = [
    ["4.2", "a frame longer than was allowed", rawFrame(0, 0, 1, large), "FRAME_SIZE_ERROR"],
    ["4.2", "one of an unknown type, too", rawFrame(99, 0, 0, large), "FRAME_SIZE_ERROR"],
    ["4.3", "a block that is none", headers(1, Buffer.of(0x80), 5), "COMPRESSION_ERROR"],
    [
      "4.3",
      "another stream's HEADERS within a block",
      Buffer.concat([headers(1, block, 1), request(3)]),
      "PROTOCOL_ERROR",
    ],
    ["5.1", "DATA on an idle stream", data(1, "x"), "PROTOCOL_ERROR"],
    ["5.1", "RST_STREAM on an idle stream", rst(1), "PROTOCOL_ERROR"],
    ["5.1", "WINDOW_UPDATE on an idle stream", open(1, 1), "PROTOCOL_ERROR"],
    ["5.1", "WINDOW_UPDATE on a stream of ours", open(2, 1), "PROTOCOL_ERROR"],
    [
      "5.1",
      "HEADERS on a stream that the client has ended and reset",
      Buffer.concat([request(1), rst(1), request(1)]),
      "STREAM_CLOSED",
      1,
    ],
    ["5.1.1", "a stream with an even number", request(2), "PROTOCOL_ERROR"],
    ["5.1.1", "a number lower than one that was used", Buffer.concat([request(5), request(3)]), "STREAM_CLOSED", 5],
    ["6.1", "DATA on stream 0", data(0, "x"), "PROTOCOL_ERROR"],
    [
      "6.1",
      "padding as long as the payload",
      Buffer.concat([post(1), data(1, "\x05abcd", padded)]),
      "PROTOCOL_ERROR",
      1,
    ],
    ["6.1", "padding without its length", Buffer.concat([post(1), data(1, "", padded)]), "FRAME_SIZE_ERROR", 1],
    ["6.2", "HEADERS on stream 0", headers(0, block, 5), "PROTOCOL_ERROR"],
    [
      "6.2",
      "padding longer than the block",
      headers(1, Buffer.concat([Buffer.of(255), block]), 5 | padded),
      "PROTOCOL_ERROR",
    ],
    ["6.2", "a priority for which there is no room", headers(1, Buffer.alloc(4), 5 | priority), "PROTOCOL_ERROR"],
    ["6.3", "PRIORITY on stream 0", rawFrame(2, 0, 0, Buffer.alloc(5)), "PROTOCOL_ERROR"],
    ["6.3", "PRIORITY of another length", rawFrame(2, 0, 1, Buffer.alloc(4)), "FRAME_SIZE_ERROR"],
    ["6.4", "RST_STREAM on stream 0", rst(0), "PROTOCOL_ERROR"],
    [
      "6.4",
      "RST_STREAM of another length",
      Buffer.concat([request(1), rawFrame(3, 0, 1, Buffer.alloc(3))]),
      "FRAME_SIZE_ERROR",
      1,
    ],
    [
      "6.5",
      "an acknowledgement with settings",
      frame("settings", { flags: ack, payload: setting(1, 0) }),
      "FRAME_SIZE_ERROR",
    ],
    ["6.5", "SETTINGS on a stream", frame("settings", { stream: 1 }), "PROTOCOL_ERROR"],
    ["6.5", "SETTINGS of another length", frame("settings", { payload: Buffer.alloc(3) }), "FRAME_SIZE_ERROR"],
    ["6.5", "SETTINGS without end", frame("settings", { payload: Buffer.alloc(33 * 6) }), "ENHANCE_YOUR_CALM"],
    ["6.5.2", "ENABLE_PUSH that is neither", frame("settings", { payload: setting(2, 2) }), "PROTOCOL_ERROR"],
    [
      "6.5.2",
      "INITIAL_WINDOW_SIZE too large",
      frame("settings", { payload: setting(4, 2 ** 31) }),
      "FLOW_CONTROL_ERROR",
    ],
    ["6.5.2", "MAX_FRAME_SIZE too small", frame("settings", { payload: setting(5, 16_383) }), "PROTOCOL_ERROR"],
    ["6.5.2", "MAX_FRAME_SIZE too large", frame("settings", { payload: setting(5, 2 ** 24) }), "PROTOCOL_ERROR"],
    ["6.6", "PUSH_PROMISE of a client", rawFrame(5, 4, 1, Buffer.alloc(8)), "PROTOCOL_ERROR"],
    ["6.7", "PING on a stream", frame("ping", { stream: 1, payload: Buffer.alloc(8) }), "PROTOCOL_ERROR"],
    ["6.7", "PING of another length", frame("ping", { payload: Buffer.alloc(6) }), "FRAME_SIZE_ERROR"],
    ["6.8", "GOAWAY on a stream", frame("goaway", { stream: 1, payload: Buffer.alloc(8) }), "PROTOCOL_ERROR"],
    ["6.8", "GOAWAY too short", frame("goaway", { payload: Buffer.alloc(7) }), "FRAME_SIZE_ERROR"],
    ["6.9", "an increment of 0 for all", open(0, 0), "PROTOCOL_ERROR"],
    ["6.9", "WINDOW_UPDATE of another length", rawFrame(8, 0, 0, Buffer.alloc(3)), "FRAME_SIZE_ERROR"],
    ["6.9.1", "a window beyond what one can be", open(0, 2 ** 31 - 1), "FLOW_CONTROL_ERROR"],
    [
      "6.9.2",
      "initial windows that make one too large",
      Buffer.concat([request(1), open(1, 2 ** 30), frame("settings", { payload: setting(4, 2 ** 31 - 1) })]),
      "FLOW_CONTROL_ERROR",
      1,
    ],
    [
      "6.10",
      "CONTINUATION of nothing",
      frame("continuation", { stream: 1, flags: 4, payload: block }),
      "PROTOCOL_ERROR",
    ],
    [
      "6.10",
      "CONTINUATION behind a complete block",
      Buffer.concat([request(1), frame("continuation", { stream: 1, flags: 4 })]),
      "PROTOCOL_ERROR",
      1,
    ],
    [
      "6.10",
      "CONTINUATION of another stream",
      Buffer.concat([headers(1, block, 1), frame("continuation", { stream: 3, flags: 4 })]),
      "PROTOCOL_ERROR",
    ],
    [
      "6.10",
      "CONTINUATION on stream 0",
      Buffer.concat([headers(1, block, 1), frame("continuation", { flags: 4 })]),
      "PROTOCOL_ERROR",
    ],
    [
      "6.10",
      "an unknown frame within a block",
      Buffer.concat([headers(1, block, 1), rawFrame(99, 0, 0, empty)]),
      "PROTOCOL_ERROR",
    ],
  ];

  test.each(wrong)("§%s: %s", (_section, _name, bytes, code, last = 0) => {
    const memory = greeted().receive(bytes);
    expect(memory.told.slice(1)).toEqual([`failed: ${code}`]);
    expect(memory.said.at(-1)).toBe(`goaway ${last} ${code}`);
    // Whoever answers a stream hears of it, once; and nothing is read any more.
    expect(memory.users.every(({ closes }) => closes === 1)).toBe(true);
    const streams = memory.users.length;
    memory.receive(request(99));
    expect([memory.users.length, memory.said]).toEqual([streams, []]);
  });
});

describe("errors of a stream", () => {
  const wrong: [section: string, name: string, bytes: Buffer, code: string][] = [
    ["5.1", "DATA where the client has ended", Buffer.concat([request(1), data(1, "x")]), "STREAM_CLOSED"],
    ["5.1", "HEADERS where the client has ended", Buffer.concat([request(1), headers(1, block, 5)]), "STREAM_CLOSED"],
    ["6.9", "an increment of 0", Buffer.concat([request(1), open(1, 0)]), "PROTOCOL_ERROR"],
    [
      "6.9.1",
      "a window beyond what one can be",
      Buffer.concat([request(1), open(1, 2 ** 31 - 1)]),
      "FLOW_CONTROL_ERROR",
    ],
    [
      "8.1",
      "HEADERS behind the first that do not end",
      Buffer.concat([post(1), headers(1, block, 4)]),
      "PROTOCOL_ERROR",
    ],
  ];

  test.each(wrong)("§%s: %s", (_section, _name, bytes, code) => {
    const memory = greeted().receive(bytes);
    expect(memory.said).toEqual([`rstStream 1 ${code}`]);
    expect(memory.users[0]?.closes).toBe(1);
    // What comes on it after that means nothing, and the connection lives.
    memory.receive(data(1, "late", endStream), headers(1, block, 5), open(1, 5), rst(1), request(3));
    expect([memory.said, memory.told, memory.users.length]).toEqual([[], ["settings"], 2]);
  });

  test("DATA on a stream that its client has reset is refused (§5.1)", () => {
    const memory = greeted().receive(post(1), rst(1), data(1, "x"), data(1, "y"), request(3));
    expect(memory.said).toEqual(["rstStream 1 STREAM_CLOSED"]);
    expect(memory.users).toHaveLength(2);
  });

  test("a stream beyond the limit is refused, and its block has its place in the table", () => {
    const memory = greeted({ maxStreams: 1 });
    const indexing = Buffer.concat([block, Buffer.from("400178017a", "hex")]);
    memory.receive(request(1), headers(3, indexing, 5));
    expect(memory.said).toEqual(["rstStream 3 REFUSED_STREAM"]);
    memory.receive(rst(1), headers(5, Buffer.concat([block, Buffer.of(0xbe)]), 5));
    expect(memory.users.map(({ stream }) => stream.id)).toEqual([1, 5]);
    expect(memory.users[1]?.fields.at(-1)).toBe("x: z");
  });
});

describe("what is to be ignored", () => {
  test("frames and settings that nobody knows, priorities, and flags that mean nothing there (§4.1, §5.5, §6.5.2)", () => {
    const memory = greeted().receive(
      rawFrame(99, 255, 7, Buffer.alloc(20)),
      frame("settings", { payload: Buffer.concat([setting(0xff, 1), setting(9, 1)]) }),
      frame("priority", { stream: 9, payload: Buffer.alloc(5) }),
      frame("ping", { flags: 0xfe, payload: Buffer.from("question") }),
      headers(1, block, 5 | (0xd2 & ~(padded | priority))),
    );
    expect(memory.said).toEqual(["settings ack", "ping ack"]);
    expect(memory.users).toHaveLength(1);
  });

  test("answers to what was not asked", () => {
    const memory = greeted().receive(
      frame("settings", { flags: ack }),
      frame("ping", { flags: ack, payload: Buffer.from("unasked!") }),
    );
    expect([memory.said, memory.told]).toEqual([[], ["settings"]]);
  });

  test("padding, and a priority before a block", () => {
    const memory = greeted().receive(
      headers(
        1,
        Buffer.concat([Buffer.of(3), uint32(0x80000003), Buffer.of(200), block, Buffer.alloc(3)]),
        4 | padded | priority,
      ),
      data(1, "\x02body\0\0", padded),
      data(1, "\x00", padded),
      data(1, "\x04\0\0\0\0", padded | endStream),
    );
    expect(memory.users).toMatchObject([{ body: "body", ended: true }]);
    expect(memory.users[0]?.fields).toHaveLength(4);
  });
});

describe("requests", () => {
  test("a block in pieces, trailers, and a body octet by octet", () => {
    const bytes = Buffer.concat([
      headers(1, block.subarray(0, 10), 0),
      frame("continuation", { stream: 1 }),
      frame("continuation", { stream: 1, payload: block.subarray(10), flags: 4 }),
      data(1, "\x01one\0", padded),
      data(1, "two"),
      headers(1, fieldBlock([["x-sum", "7"]]), 5),
    ]);
    const memory = greeted().receive(...Array.from(bytes, (octet) => Buffer.of(octet)));
    expect(memory.users).toMatchObject([{ body: "onetwo", ended: true, trailers: ["x-sum: 7"] }]);
  });

  test("one that is paused keeps what comes, within its window, and its end", () => {
    const memory = greeted();
    memory.reads = false;
    memory.receive(post(1), data(1, "one"), data(1, "two", endStream));
    const [user] = memory.users;
    expect(user).toMatchObject({ body: "", ended: false });
    user?.stream.resume();
    expect(user).toMatchObject({ body: "onetwo", ended: true });
  });

  test("one that is answered while it is paused stays until it was read", () => {
    const memory = greeted();
    memory.reads = false;
    memory.receive(post(1), data(1, "one", endStream));
    const [user] = memory.users;
    user?.stream.respond(Buffer.of(0x88), true);
    expect(memory.said).toEqual(["headers 1 end"]);
    expect(user).toMatchObject({ closes: 0 });
    user?.stream.resume();
    user?.stream.send(Buffer.from("late"), 0, 4);
    memory.receive(frame("ping", { payload: Buffer.alloc(8) }));
    expect(user).toMatchObject({ body: "one", ended: true, closes: 1 });
    expect(memory.said).toEqual(["ping ack"]);
  });

  test("a header list in many frames, or in too many octets, ends the connection", () => {
    const flood = greeted().receive(headers(1, block, 1));
    for (let at = 0; at < 30; at++) flood.receive(frame("continuation", { stream: 1, payload: Buffer.of(0x82) }));
    expect(flood.told).toContain("failed: ENHANCE_YOUR_CALM");
    const long = greeted().receive(headers(1, block, 1));
    for (let at = 0; at < 4; at++)
      long.receive(frame("continuation", { stream: 1, payload: Buffer.alloc(16_384, 0x82) }));
    expect(long.told).toContain("failed: ENHANCE_YOUR_CALM");
  });
});

describe("floods", () => {
  const floods: [name: string, piece: (at: number) => Buffer, most: number][] = [
    ["rapid reset", (at) => Buffer.concat([request(2 * at + 1), rst(2 * at + 1)]), 10_000],
    ["streams beyond the limit", (at) => request(2 * at + 1), 700],
    ["PING", () => frame("ping", { payload: Buffer.alloc(8) }), 201],
    ["SETTINGS", () => frame("settings"), 200],
    ["PRIORITY", () => rawFrame(2, 0, 1, Buffer.alloc(5)), 10_001],
    ["frames that nobody knows", () => rawFrame(77, 0, 1, Buffer.alloc(5)), 10_001],
    ["WINDOW_UPDATE", () => open(0, 1), 10_001],
    ["GOAWAY", () => frame("goaway", { payload: Buffer.alloc(8) }), 10_001],
    ["acknowledgements", () => frame("settings", { flags: ack }), 10_001],
  ];

  test.each(floods)("%s", (name, piece, most) => {
    const memory = greeted();
    let sent = 0;
    while (memory.told.at(-1) !== "failed: ENHANCE_YOUR_CALM" && sent <= most) {
      memory.receive(piece(sent++));
      // As the connection does with what its clients give up.
      const user = memory.users.at(-1);
      if (name === "rapid reset" && user?.closes === 1 && !memory.session.guard.reset()) memory.session.fail(11);
    }
    expect(sent).toBeLessThanOrEqual(most);
  });

  test("DATA with nothing in it", () => {
    const memory = greeted().receive(post(1));
    for (let at = 0; at < 10_010; at++) memory.receive(data(1, ""));
    expect(memory.told.at(-1)).toBe("failed: ENHANCE_YOUR_CALM");
  });

  test("a table's field named without end is one list that is too large", () => {
    const memory = greeted();
    const field = Buffer.concat([Buffer.from("400178", "hex"), hpackInteger(3_900, 7), Buffer.alloc(3_900, "b")]);
    memory.receive(headers(1, Buffer.concat([block, field, Buffer.alloc(10_000, 0xbe)]), 5));
    expect(memory.users[0]?.list.tooLarge).toBe(true);
    expect(memory.users[0]!.list.fields.length).toBeLessThan(20);
  });
});

describe("the end", () => {
  test("a first GOAWAY promises all, the second names the last; what comes after that means nothing", () => {
    const memory = greeted();
    memory.session.goaway(false);
    memory.session.ping();
    const [goaway, ping] = memory.frames();
    expect(goaway?.payload.readUInt32BE(0)).toBe(2 ** 31 - 1);
    memory.receive(request(1), frame("ping", { flags: ack, payload: ping!.payload }));
    expect(memory.told).toEqual(["settings", "pinged"]);
    memory.session.goaway(true);
    memory.receive(post(3), data(3, "body", endStream), rst(3), data(1, ""));
    expect(memory.said).toEqual(["goaway 1 NO_ERROR", "rstStream 1 STREAM_CLOSED"]);
    expect(memory.users).toHaveLength(1);
    memory.receive(open(0, 0));
    expect(memory.said).toEqual(["goaway 1 PROTOCOL_ERROR"]);
  });

  test("of the socket: all streams hear of it, once, and what was not written is dropped", () => {
    const memory = greeted().receive(request(1), post(3));
    memory.users[0]?.stream.respond(Buffer.of(0x88), true);
    memory.session.closed();
    memory.session.closed();
    expect(memory.users.map(({ closes }) => closes)).toEqual([1, 1]);
    memory.users[1]?.stream.respond(Buffer.of(0x88), true);
    expect(memory.said).toEqual([]);
  });
});
