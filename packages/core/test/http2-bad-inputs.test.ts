// BAD-INPUTS 148 to 161: what clients of HTTP/2 should not send, frame by frame, and that others are served beside it.
import { describe, expect, test } from "vitest";
import { eventually } from "./support/eventually.ts";
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
  uint32,
} from "./support/http2-frames.ts";
import { startNoting, streamNumber } from "./support/noting-front.ts";
import { RawHttp2Client } from "./support/raw-http2-client.ts";

describe("heads", () => {
  test("BAD-INPUTS 148: a table larger than we allow, and an index that is none, end the connection", async () => {
    const { httpsPort, served } = await startNoting();
    for (const block of [hpackInteger(1_000_000, 5, 0x20), Buffer.of(0x80 | 70)]) {
      const client = await RawHttp2Client.ofTest(httpsPort);
      client.send(frame("headers", { flags: endStream | endHeaders, stream: 1, payload: block }));
      expect(await client.failure()).toBe("COMPRESSION_ERROR");
      await client.untilEnded();
    }
    await served();
  });

  test("BAD-INPUTS 148: a field put into the table once and named ten thousand times is one request too large", async () => {
    const { httpsPort, heads, served } = await startNoting();
    const client = await RawHttp2Client.ofTest(httpsPort);
    const value = "b".repeat(3_900);
    // Literal with indexing (RFC 7541 §6.2.1), then its index, 62, again and again.
    const indexed = Buffer.concat([
      Buffer.of(0x40),
      hpackInteger(1, 7),
      Buffer.from("x"),
      hpackInteger(value.length, 7),
      Buffer.from(value),
    ]);
    const block = Buffer.concat([fieldBlock(requestFields()), indexed, Buffer.alloc(10_000, 0x80 | 62)]);
    client.send(frame("headers", { flags: endStream | endHeaders, stream: 1, payload: block }));
    expect(await client.status(1)).toBe(431);
    expect(heads).toEqual([]);
    await served();
  });

  test.each([
    ["longer than a head may be", [["x-long", "x".repeat(17_000)]]],
    ["more fields than a head may have", Array.from({ length: 150 }, (_, at) => [`x-${at}`, "1"])],
  ] as [string, [string, string][]][])("BAD-INPUTS 149: %s: 431", async (_name, more) => {
    const { httpsPort, heads } = await startNoting();
    const client = await RawHttp2Client.ofTest(httpsPort);
    const block = fieldBlock(requestFields("/", more));
    const [first, ...rest] = pieces(block, 16_000);
    client.send(
      frame("headers", { flags: endStream | (rest.length === 0 ? endHeaders : 0), stream: 1, payload: first! }),
      ...rest.map((payload, at) =>
        frame("continuation", { flags: at === rest.length - 1 ? endHeaders : 0, stream: 1, payload }),
      ),
    );
    expect(await client.status(1)).toBe(431);
    expect(heads).toEqual([]);
  });

  const get = (more: [string, string][]) => requestFields("/", more);
  test.each([
    ["150", "a name in upper case", get([["X-Upper", "1"]])],
    ["150", "connection", get([["connection", "close"]])],
    ["150", "transfer-encoding", get([["transfer-encoding", "chunked"]])],
    ["150", "keep-alive", get([["keep-alive", "timeout=5"]])],
    ["150", "proxy-connection", get([["proxy-connection", "close"]])],
    ["150", "te other than trailers", get([["te", "gzip"]])],
    ["150", "upgrade", get([["upgrade", "websocket"]])],
    [
      "151",
      "no :path",
      [
        [":method", "GET"],
        [":scheme", "https"],
        [":authority", "a.example"],
      ],
    ],
    [
      "151",
      "no :method",
      [
        [":scheme", "https"],
        [":authority", "a.example"],
        [":path", "/"],
      ],
    ],
    [
      "151",
      "no :scheme",
      [
        [":method", "GET"],
        [":authority", "a.example"],
        [":path", "/"],
      ],
    ],
    ["151", ":path twice", get([[":path", "/other"]])],
    [
      "151",
      "a pseudo-header behind a field",
      get([
        ["x", "1"],
        [":path", "/"],
      ]),
    ],
    ["151", "one that nobody knows", [[":who", "me"], ...requestFields()]],
    ["151", ":status in a request", [[":status", "200"], ...requestFields()]],
    ["152", ":path without anything", requestFields("")],
    ["152", ":path without a slash", requestFields("nowhere")],
    ["152", ":path that is a URL", requestFields("https://evil.example/")],
    ["153", "host that is another", get([["host", "other.example"]])],
    ["154", "CR and LF in the path", requestFields("/ HTTP/1.1\r\nx-evil: 1\r\n\r\nGET /evil")],
    [
      "154",
      "LF in the authority",
      [
        [":method", "GET"],
        [":scheme", "https"],
        [":authority", "a\nb"],
        [":path", "/"],
      ],
    ],
    ["154", "LF in the method", requestFields("/", [], "GET\n")],
  ] as [string, string, [string, string][]][])(
    "BAD-INPUTS %s: %s: an error of the stream, and the app sees nothing of it",
    async (_row, _name, fields) => {
      const { httpsPort, heads } = await startNoting();
      const client = await RawHttp2Client.ofTest(httpsPort);
      expect(await client.ask(1, fields as unknown as ReturnType<typeof requestFields>)).toBe("PROTOCOL_ERROR");
      expect(heads).toEqual([]);
      expect(await client.ask(3)).toBe("answered");
      expect(heads).toHaveLength(1);
    },
  );

  test.each([
    ["152", "a space in the path", requestFields("/a b")],
    ["152", "a space in the path, with what could be the end of a line", requestFields("/ HTTP/1.1")],
    ["152", "octets above 127 in the path", requestFields("/\u00e9")],
    [
      "154",
      "a host that is none",
      [
        [":method", "GET"],
        [":scheme", "https"],
        [":authority", "a/b"],
        [":path", "/"],
      ],
    ],
  ] as [string, string, [string, string][]][])(
    "BAD-INPUTS %s: %s: 400 as in HTTP/1.1, or an error of the stream",
    async (_row, _name, fields) => {
      const { httpsPort, heads } = await startNoting();
      const client = await RawHttp2Client.ofTest(httpsPort);
      const end = await client.ask(1, fields as unknown as ReturnType<typeof requestFields>);
      if (end === "answered") expect(await client.status(1)).toBe(400);
      else expect(end).toBe("PROTOCOL_ERROR");
      expect(heads).toEqual([]);
    },
  );
});

describe("fields that are none", () => {
  test.each([
    ["LF in a value", "x", "1\nx-evil: 1"],
    ["CR and LF in a value", "x", "1\r\nx-evil: 1"],
    ["a head's end in a value", "x", "1\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["NUL in a value", "x", "1\u0000evil"],
    ["a colon in a name", "x-evil: 1\r\nx", "2"],
    ["LF in a cookie", "cookie", "a=1\nx-evil: 1"],
    ["white space before a value", "x", " evil"],
    ["white space behind a value", "x", "evil\t"],
  ])("BAD-INPUTS 154: %s: it never gets into a head of HTTP/1.1", async (_name, name, value) => {
    const { httpsPort, heads } = await startNoting();
    const client = await RawHttp2Client.ofTest(httpsPort);
    const fields = requestFields("/", [
      [name, value],
      ["x-good", "1"],
    ]);
    expect(await client.ask(1, fields)).toBe("PROTOCOL_ERROR");
    expect(heads).toEqual([]);
    expect(await client.ask(3)).toBe("answered");
  });
});

describe("bodies and streams", () => {
  test.each([
    ["less", "10", "12345"],
    ["more", "3", "12345"],
  ])("BAD-INPUTS 155: %s DATA than content-length says: an error", async (_name, length, data) => {
    const { httpsPort, bodies, served } = await startNoting();
    const client = await RawHttp2Client.ofTest(httpsPort);
    client.send(
      request(1, requestFields("/", [["content-length", length]], "POST"), endHeaders),
      frame("data", { stream: 1, flags: endStream, payload: Buffer.from(data) }),
    );
    expect(await client.failure(1)).toBe("PROTOCOL_ERROR");
    expect(bodies).toEqual([]);
    await served();
  });

  test("BAD-INPUTS 156: a stream more than may be open is refused, whether the limit is known or not", async () => {
    const { httpsPort, heads } = await startNoting({ http2: { maxStreams: 5 } });
    const streams = Array.from({ length: 6 }, (_, at) => request(streamNumber(at), requestFields("/never")));
    // With the first bytes, so that nobody has agreed to the settings yet.
    const early = await RawHttp2Client.ofTest(httpsPort, Buffer.concat([preface, frame("settings"), ...streams]));
    expect(await early.end(streamNumber(5))).toBe("REFUSED_STREAM");
    early.send(frame("rstStream", { stream: 1, payload: uint32(8) }));
    let next = 6;
    // The place is free when the stream that was reset has gone.
    await eventually(async () => (await early.ask(streamNumber(next++))) === "answered", { what: "a place" });
    const late = await RawHttp2Client.ofTest(httpsPort);
    await late.until(() => late.frames.some(({ type, flags }) => type === "settings" && flags === ack));
    late.send(...streams);
    expect(await late.end(streamNumber(5))).toBe("REFUSED_STREAM");
    expect(heads).toHaveLength(11);
  });

  test("BAD-INPUTS 157: DATA on a stream that has ended is refused, and no second request", async () => {
    const { httpsPort, heads, bodies, served } = await startNoting();
    const client = await RawHttp2Client.ofTest(httpsPort);
    expect(await client.ask(1)).toBe("answered");
    client.send(frame("data", { stream: 1, payload: Buffer.from("GET /evil HTTP/1.1\r\nHost: a\r\n\r\n") }));
    expect(await client.failure(1)).toBe("STREAM_CLOSED");
    expect(await client.ask(3)).toBe("answered");
    expect(heads).toHaveLength(2);
    expect(bodies).toEqual(["", ""]);
    await served();
  });

  test("BAD-INPUTS 159: an extended CONNECT to what is no WebSocket ends that stream alone", async () => {
    const { httpsPort, heads } = await startNoting();
    const client = await RawHttp2Client.ofTest(httpsPort);
    const connect = (stream: number, protocol: string, flags = endHeaders) =>
      client.send(
        request(stream, [[":method", "CONNECT"], [":protocol", protocol], ...requestFields().slice(1)], flags),
      );
    connect(1, "connect-udp");
    expect(await client.end(1)).toBe("PROTOCOL_ERROR");
    connect(3, "websocket", endHeaders | endStream);
    expect(await client.end(3)).toBe("PROTOCOL_ERROR");
    // Without the version of the protocol.
    connect(5, "websocket");
    expect(await client.end(5)).toBe("answered");
    client.send(
      request(
        7,
        [
          [":method", "CONNECT"],
          [":authority", "evil.example:443"],
        ],
        endHeaders,
      ),
    );
    expect(await client.end(7)).toBe("answered");
    expect(heads).toEqual([]);
    expect(await client.ask(9)).toBe("answered");
  });

  test.each([
    ["half a preface", preface.subarray(0, 12)],
    ["another preface", Buffer.from("PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n")],
    ["HTTP/1.1", Buffer.from("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")],
    ["no settings behind it", Buffer.concat([preface, frame("ping", { payload: Buffer.alloc(8) })])],
    ["nothing at all", Buffer.alloc(0)],
  ])("BAD-INPUTS 160: %s: the connection ends", async (_name, opening) => {
    const { httpsPort, heads, front, served } = await startNoting({ timeouts: { headersMs: 200, lingerMs: 200 } });
    const client = await RawHttp2Client.ofTest(httpsPort, opening);
    await client.untilEnded();
    await eventually(() => front.connections === 0, { what: "the connection is closed" });
    expect(heads).toEqual([]);
    await served();
  });

  test.each([
    ["a pseudo-header", [[":path", "/evil"]]],
    ["what frames the message", [["content-length", "3"]]],
  ] as [string, [string, string][]][])(
    "BAD-INPUTS 161: trailers with %s: the request is none",
    async (_name, fields) => {
      const { httpsPort, bodies } = await startNoting();
      const client = await RawHttp2Client.ofTest(httpsPort);
      client.send(
        request(1, requestFields("/", [], "POST"), endHeaders),
        frame("data", { stream: 1, payload: Buffer.from("body") }),
        frame("headers", { stream: 1, flags: endStream | endHeaders, payload: fieldBlock(fields) }),
      );
      const end = await client.end(1);
      if (end === "answered") expect(await client.status(1)).toBe(400);
      else expect(end).toBe("PROTOCOL_ERROR");
      expect(bodies).toEqual([]);
      expect(await client.ask(3)).toBe("answered");
    },
  );
});

test("BAD-INPUTS 161: trailers with a line break in one are an error of the stream", async () => {
  const { httpsPort, bodies, served } = await startNoting();
  const client = await RawHttp2Client.ofTest(httpsPort);
  const fields = fieldBlock([
    ["x-sum", "1\r\nx-evil: 2"],
    ["x-good", "3"],
  ]);
  client.send(
    request(1, requestFields("/", [], "POST"), endHeaders),
    frame("data", { stream: 1, payload: Buffer.from("body") }),
    frame("headers", { stream: 1, flags: endStream | endHeaders, payload: fields }),
  );
  expect(await client.end(1)).toBe("PROTOCOL_ERROR");
  expect(bodies).toEqual([]);
  await served();
});

function pieces(bytes: Buffer, size: number): Buffer[] {
  const all: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) all.push(bytes.subarray(at, at + size));
  return all;
}
