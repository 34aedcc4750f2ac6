import { describe, expect, it } from "vitest";
import { defaultHttpLimits } from "../../test/support/default-settings.ts";
import { chunkedBody, closeDelimitedBody, noBody } from "./body-framing.ts";
import { BodyReader, type BodyReaderOptions } from "./body-reader.ts";

const framed: BodyReaderOptions = { limits: defaultHttpLimits, emit: "framed", role: "request" };
const payload: BodyReaderOptions = { ...framed, emit: "payload" };
const response: BodyReaderOptions = { ...framed, role: "response" };

/** Keeps the ranges it was given. */
class Ranges {
  readonly ranges: string[] = [];
  readonly buffers = new Set<Buffer>();

  bodyBytes(buffer: Buffer, start: number, end: number): void {
    this.ranges.push(buffer.toString("latin1", start, end));
    this.buffers.add(buffer);
  }

  get text(): string {
    return this.ranges.join("");
  }
}

function read(text: string, options = framed, reader = new BodyReader()) {
  const bytes = Buffer.from(text, "latin1");
  const sink = new Ranges();
  reader.reset(chunkedBody, options);
  const consumed = reader.read(bytes, 0, bytes.length, sink);
  return { reader, sink, consumed, bytes };
}

describe("a body that is not chunked", () => {
  it("of no length is complete before anything is read", () => {
    const reader = new BodyReader();
    reader.reset(noBody, framed);
    expect(reader.complete).toBe(true);
    expect(reader.read(Buffer.from("next"), 0, 4, new Ranges())).toBe(0);
  });

  it("of a length ends there, and what follows is left", () => {
    const reader = new BodyReader();
    const sink = new Ranges();
    reader.reset({ kind: "length", bytes: 5 }, framed);
    expect(reader.read(Buffer.from("..hel"), 2, 5, sink)).toBe(5);
    expect([reader.complete, reader.closed(), reader.received]).toEqual([false, false, 3]);
    expect(reader.read(Buffer.from("loNEXT"), 0, 6, sink)).toBe(2);
    expect([reader.complete, reader.closed(), reader.received]).toEqual([true, true, 5]);
    expect(reader.read(Buffer.from("NEXT"), 0, 4, sink)).toBe(0);
    expect(sink.ranges).toEqual(["hel", "lo"]);
  });

  it("without an end of its own ends with the connection", () => {
    const reader = new BodyReader();
    const sink = new Ranges();
    reader.reset(closeDelimitedBody, response);
    expect(reader.read(Buffer.from("hello"), 0, 5, sink)).toBe(5);
    expect(reader.complete).toBe(false);
    expect(reader.closed()).toBe(true);
    expect([reader.complete, reader.received, sink.text]).toEqual([true, 5, "hello"]);
  });
});

describe("a chunked body", () => {
  const canonical = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";

  it("that is canonical passes as one range of the buffer it came in", () => {
    const { reader, sink, consumed, bytes } = read(`${canonical}NEXT`);
    expect(sink.ranges).toEqual([canonical]);
    expect(sink.buffers).toEqual(new Set([bytes]));
    expect([reader.complete, consumed, reader.received]).toEqual([true, canonical.length, 11]);
    expect(reader.read(bytes, consumed, bytes.length, sink)).toBe(consumed);
  });

  it("passes as one range per piece, and not copied, when it comes in pieces", () => {
    const big = Buffer.from(`10000\r\n${"x".repeat(65_536)}\r\n0\r\n\r\n`);
    const reader = new BodyReader();
    const sink = new Ranges();
    reader.reset(chunkedBody, framed);
    for (let at = 0; at < big.length; at += 10_000) reader.read(big, at, Math.min(big.length, at + 10_000), sink);
    expect(sink.ranges).toHaveLength(7);
    expect(sink.buffers).toEqual(new Set([big]));
    expect(sink.text).toBe(big.toString());
    expect(reader.complete).toBe(true);
  });

  it("has its extensions cut out", () => {
    const { sink, reader } = read('5;a;b=c\r\nhello\r\n0;d="\\"\t"\r\n\r\n');
    expect(reader.failure).toBeUndefined();
    expect(sink.ranges).toEqual(["5", "\r\nhello\r\n0", "\r\n\r\n"]);
  });

  it.each([";", ";=b", ";a=", ";a b", '; a="b', ';a="b"c', ";a;", " ;a", ";a=\x80"])(
    "is refused with the extension %j",
    (extension) => {
      expect(read(`5${extension}\r\nhello\r\n0\r\n\r\n`).reader.failure).toMatchObject({ status: 400 });
    },
  );

  it("may have so much of extensions in all its chunks together", () => {
    const limits = { ...defaultHttpLimits, maxChunkExtensionBytes: 4 };
    const body = (extension: string) => `1;a\r\nx\r\n1${extension}\r\nx\r\n0\r\n\r\n`;
    expect(read(body(";b"), { ...framed, limits }).reader.complete).toBe(true);
    expect(read(body(";bc"), { ...framed, limits }).reader.failure).toMatchObject({ status: 413 });
  });

  it("gives its data alone to a client that cannot read chunks", () => {
    const { sink, reader } = read("5;a\r\nhello\r\n6\r\n world\r\n0\r\nX-A: b\r\n\r\n", payload);
    expect([sink.ranges, reader.complete, reader.received]).toEqual([["hello", " world"], true, 11]);
  });

  it("FAULTS 27: is cut if the sender closes before the last chunk", () => {
    for (let length = 0; length < canonical.length; length++) {
      expect(read(canonical.slice(0, length), response).reader.closed()).toBe(false);
    }
  });

  it("may have so many bytes, counted before they come", () => {
    const limits = { ...defaultHttpLimits, maxBodyBytes: 8 };
    expect(read("4\r\nabcd\r\n4\r\nefgh\r\n0\r\n\r\n", { ...framed, limits }).reader.complete).toBe(true);
    expect(read("4\r\nabcd\r\n5\r\n", { ...framed, limits }).reader.failure).toMatchObject({ status: 413 });
    expect(read("4\r\nabcd\r\n5\r\nefghi\r\n0\r\n\r\n", { ...response, limits }).reader.complete).toBe(true);
  });

  it("fails as what it is part of", () => {
    expect(read("x\r\n").reader.failure).toMatchObject({ kind: "rejection", status: 400, code: "http.chunk-size" });
    expect(read("x\r\n", response).reader.failure).toMatchObject({ kind: "bad-response", code: "http.chunk-size" });
  });

  it("that failed is read no further, and its reader serves the next", () => {
    const { reader, bytes, consumed } = read("5\r\nhelloX\r\n");
    expect(reader.failure).toMatchObject({ code: "http.chunk-end" });
    expect(reader.read(bytes, consumed, bytes.length, new Ranges())).toBe(consumed);
    expect(reader.complete).toBe(false);
    expect(read(canonical, framed, reader).reader).toMatchObject({ complete: true, failure: undefined });
  });
});

describe("trailers", () => {
  const body = (trailers: string) => `2\r\nab\r\n0\r\n${trailers}\r\n`;

  it("that are harmless go on", () => {
    const { sink, reader } = read(body("X-Checksum: abc\r\nETag: \xe4\r\n"));
    expect([sink.text, reader.complete]).toEqual([body("X-Checksum: abc\r\nETag: \xe4\r\n"), true]);
  });

  it("that mean something only before the body are dropped", () => {
    const lines = "Authorization: a\r\nSet-Cookie: b\r\nX-Forwarded-For: c\r\nX_Real_IP: d\r\nContent-Type: e\r\n";
    expect(read(body(lines)).sink.text).toBe(body(""));
    expect(read(body(`${lines}X-A: b\r\n`)).sink.text).toBe(body("X-A: b\r\n"));
  });

  it.each(["Content-Length", "Transfer-Encoding", "Host", "TE", "Connection", "Trailer", "Upgrade", "Keep-Alive"])(
    "BAD-INPUTS 25: %s is refused",
    (name) => {
      expect(read(body(`X-A: b\r\n${name}: c\r\n`)).reader.failure).toMatchObject({
        status: 400,
        code: "http.trailer-field",
      });
    },
  );

  it("have a limit, which holds before their end is there", () => {
    const limits = { ...defaultHttpLimits, maxTrailerBytes: 10 };
    expect(read(body("A: 345\r\n"), { ...framed, limits }).reader.complete).toBe(true);
    expect(read(body("A: 3456\r\n"), { ...framed, limits }).reader.failure).toMatchObject({ status: 431 });
    expect(read("0\r\nA: 3456789", { ...framed, limits }).reader.failure).toMatchObject({ status: 431 });
    const many = { ...defaultHttpLimits, maxHeaders: 2 };
    expect(read(body("A: b\r\n".repeat(3)), { ...framed, limits: many }).reader.failure).toMatchObject({ status: 431 });
  });

  it("may come octet by octet", () => {
    const text = `${body("X-A: b\r\nCookie: c\r\n")}NEXT`;
    const reader = new BodyReader();
    const sink = new Ranges();
    reader.reset(chunkedBody, framed);
    let at = 0;
    const bytes = Buffer.from(text);
    for (let end = 1; end <= bytes.length; end++) at = reader.read(bytes, at, end, sink);
    expect([sink.text, reader.complete, at]).toEqual([body("X-A: b\r\n"), true, text.length - 4]);
  });
});
