import { describe, expect, test } from "vitest";
import { defaultHttpLimits } from "../../test/support/default-settings.ts";
import { RequestHead } from "../http/request-head.ts";
import type { HeaderList } from "./hpack/decoder.ts";
import { HeaderField } from "./hpack/header-field.ts";
import { RequestReader } from "./request-reader.ts";
import { requestText, trailerLines } from "./request-text.ts";

type Fields = readonly (readonly [string, string])[];

const made = (fields: Fields) => fields.map(([name, value]) => new HeaderField(name, value));
const listOf = (fields: Fields): HeaderList => ({ fields: made(fields), tooLarge: false });
const base: Fields = [
  [":method", "GET"],
  [":scheme", "https"],
  [":authority", "a.example"],
  [":path", "/"],
];
const withFields = (...more: Fields): Fields => [...base, ...more];
const without = (name: string): Fields => base.filter((field) => field[0] !== name);
const text = (fields: Fields, endStream = true) =>
  requestText(made(fields), { endStream, webSocketKey: () => "key" })?.text;

describe("a request in the words of HTTP/1.1", () => {
  test("has one Host, one Cookie, and its fields in order", () => {
    const fields = withFields(
      ["cookie", "a=1"],
      ["x", "1"],
      ["host", "A.example"],
      ["cookie", "b=2"],
      ["te", "Trailers"],
    );
    expect(text(fields)).toBe("GET / HTTP/1.1\r\nHost: a.example\r\nx: 1\r\nte: Trailers\r\ncookie: a=1; b=2\r\n\r\n");
    expect(text([...without(":authority"), ["host", "b.example"]])).toBe("GET / HTTP/1.1\r\nhost: b.example\r\n\r\n");
  });

  test("has a body in the chunked coding, if it declares no length", () => {
    expect(text(base, false)).toContain("\r\nTransfer-Encoding: chunked\r\n\r\n");
    expect(text(withFields(["content-length", "5"]), false)).not.toContain("chunked");
  });

  test("is an upgrade, if it is an extended CONNECT for a WebSocket (RFC 8441)", () => {
    const connect: Fields = [[":method", "CONNECT"], [":protocol", "websocket"], ...without(":method")];
    const fields: Fields = [...connect, ["sec-websocket-key", "theirs"], ["content-length", "3"]];
    expect(text(fields, false)).toBe(
      "GET / HTTP/1.1\r\nHost: a.example\r\nSec-WebSocket-Key: key\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    expect(text(connect, true)).toBeUndefined();
    expect(text([[":protocol", "websocket"], ...base], false)).toBeUndefined();
    expect(text([[":method", "CONNECT"], [":protocol", "other"], ...without(":method")], false)).toBeUndefined();
  });

  test.each([
    ["no method", without(":method")],
    ["no scheme", without(":scheme")],
    ["no path", without(":path")],
    ["an empty path", [...without(":path"), [":path", ""]]],
    ["a path that is a URL", [...without(":path"), [":path", "http://b/"]]],
    ["a pseudo-header twice", withFields([":path", "/"])],
    ["one behind a field", withFields(["x", "1"], [":path", "/"])],
    ["one that nobody knows", [[":who", "me"], ...base]],
    ["another host", withFields(["host", "b"])],
    ["te that is not trailers", withFields(["te", "gzip"])],
    ["connection", withFields(["connection", "close"])],
    ["transfer-encoding", withFields(["transfer-encoding", "chunked"])],
    ["upgrade", withFields(["upgrade", "x"])],
    ["a name in upper case", withFields(["X", "1"])],
    ["a name with a colon", withFields(["x:y", "1"])],
    ["a name with nothing in it", withFields(["", "1"])],
    ["a line break in a value", withFields(["x", "1\r\ny: 2"])],
    ["NUL in a value", withFields(["x", "\0"])],
    ["DEL in a value", withFields(["x", "\x7f"])],
    ["white space before a value", withFields(["x", " 1"])],
    ["white space behind a value", withFields(["x", "1\t"])],
    ["a line break in a pseudo-header", [...without(":path"), [":path", "/\r\nx: 1"]]],
  ] as [string, Fields][])("is none with %s", (_name, fields) => {
    expect(text(fields)).toBeUndefined();
  });

  test("octets above 127, white space within, and empty values pass", () => {
    expect(text(withFields(["x", "\xe9 \t."], ["y", ""]))).toContain("x: \xe9 \t.\r\ny: \r\n");
  });
});

test("trailers are lines, without pseudo-headers and what concerns a connection", () => {
  expect(
    trailerLines(
      made([
        ["x-sum", "7"],
        ["y", ""],
      ]),
    ),
  ).toBe("x-sum: 7\r\ny: \r\n");
  for (const [name, value] of [
    [":path", "/"],
    ["connection", "close"],
    ["x", "1\n"],
    ["X", "1"],
  ] as Fields) {
    expect(trailerLines([new HeaderField(name, value)])).toBeUndefined();
  }
});

describe("the reader", () => {
  let keys = 0;
  const reader = new RequestReader(defaultHttpLimits, () => `${keys++}`);

  test("reads the same list once, and another that says the same again", () => {
    const list = listOf(base);
    const head = reader.read(list, true);
    expect(head).toBeInstanceOf(RequestHead);
    expect(reader.read(list, true)).toBe(head);
    expect(reader.read(listOf(base), true)).not.toBe(head);
  });

  test("does not take one with a body for one without, nor a WebSocket for another", () => {
    const list = listOf(base);
    const bodiless = reader.read(list, true) as RequestHead;
    const head = reader.read(list, false) as RequestHead;
    expect([bodiless.framing.kind, head.framing.kind]).toEqual(["none", "chunked"]);
    expect(reader.read(list, true)).toBe(bodiless);
    const fields = [[":method", "CONNECT"], [":protocol", "websocket"], ...without(":method")] as Fields;
    const socket = listOf([...fields, ["sec-websocket-version", "13"]]);
    const [one, two] = [reader.read(socket, false) as RequestHead, reader.read(socket, false) as RequestHead];
    expect(one.header("sec-websocket-key")).not.toBe(two.header("sec-websocket-key"));
  });

  test("judges by what HTTP/1.1 has for it, and by what the stream says", () => {
    expect(reader.read(listOf([...without(":path"), [":path", "/a b"]]), true)).toMatchObject({ status: 400 });
    expect(reader.read(listOf(withFields(["x", "y".repeat(20_000)])), true)).toMatchObject({ status: 431 });
    expect(reader.read(listOf(withFields(["content-length", "x"])), false)).toMatchObject({ status: 400 });
    expect(reader.read(listOf(withFields(["content-length", "5"])), true)).toBe("malformed");
    expect(reader.read(listOf(withFields(["content-length", "0"])), true)).toBeInstanceOf(RequestHead);
    // And nothing is left of those.
    expect(reader.read(listOf(base), true)).toBeInstanceOf(RequestHead);
  });
});
