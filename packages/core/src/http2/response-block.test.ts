import { expect, test } from "vitest";
import { defaultHttpLimits } from "../../test/support/default-settings.ts";
import { blockLines } from "../../test/support/memory-http2.ts";
import { ResponseHead, ResponseHeadParser } from "../http/response-head.ts";
import { answerBlock, responseBlock, trailerBlock } from "./response-block.ts";

const parser = new ResponseHeadParser(defaultHttpLimits);

function headOf(lines: string, status = "200 OK"): ResponseHead {
  const bytes = Buffer.from(`HTTP/1.1 ${status}\r\n${lines}\r\n`, "latin1");
  const head = parser.parse(bytes, 0, bytes.length, "GET");
  if (!(head instanceof ResponseHead)) throw new Error("It is no head");
  return head;
}

const lines = (head: ResponseHead, extra = "", dropped?: readonly string[]) =>
  blockLines(responseBlock(head, { extra, dropped }));

test("a head goes on in lower case, without what concerns one connection", () => {
  const fields =
    "Content-Length: 3\r\nX-Twice: 1\r\nConnection: close, X-Own\r\nX-Own: 1\r\nKeep-Alive: 1\r\nX-Twice:  2 \r\n" +
    "Upgrade: h2c\r\nProxy-Connection: x\r\nTE: x\r\nSet-Cookie: a=1; Path=/\r\nX-\xc9: 1\r\nEmpty:\r\n";
  const head = headOf(fields.replace("X-\xc9: 1\r\n", "Value: \xc9\r\n"));
  expect(lines(head, "Date: now\r\n")).toEqual([
    ...[":status: 200", "content-length: 3", "x-twice: 1", "x-twice: 2", "set-cookie: a=1; Path=/", "value: \xc9"],
    ...["empty: ", "date: now"],
  ]);
});

test("is made once for the same additions", () => {
  const head = headOf("Content-Length: 3\r\n");
  const block = responseBlock(head, { extra: "X: 1\r\n" });
  expect(responseBlock(head, { extra: "X: 1\r\n" })).toBe(block);
  expect(lines(head, "X: 2\r\n")).toEqual([":status: 200", "content-length: 3", "x: 2"]);
});

test("a length is left out where there can be no body, and fields that are dropped, but not of interim heads", () => {
  expect(lines(headOf("Content-Length: 3\r\n", "204 None"))).toEqual([":status: 204"]);
  expect(lines(headOf("Content-Length: 3\r\nServer: x\r\n", "304 Same"), "", ["server"])).toEqual([
    ":status: 304",
    "content-length: 3",
  ]);
  expect(lines(headOf("Server: x\r\n", "103 Early Hints"), "", ["server"])).toEqual([":status: 103", "server: x"]);
});

test("a 101 is the 200 of an extended CONNECT (RFC 8441 §5)", () => {
  const fields =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: chat\r\n";
  expect(lines(headOf(fields, "101 Switching Protocols"))).toEqual([":status: 200", "sec-websocket-protocol: chat"]);
});

test("answers of our own, and trailers", () => {
  expect(blockLines(answerBlock(404, "Content-Length: 3\r\nX: y\r\n"))).toEqual([
    ":status: 404",
    "content-length: 3",
    "x: y",
  ]);
  expect(blockLines(trailerBlock("X-Sum: 7\r\nX-Sum: 8\r\n"))).toEqual(["x-sum: 7", "x-sum: 8"]);
});
