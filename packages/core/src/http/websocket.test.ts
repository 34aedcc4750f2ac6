import { describe, expect, it } from "vitest";
import { defaultHttpLimits } from "../../test/support/default-settings.ts";
import { type RequestHead, RequestHeadParser } from "./request-head.ts";
import { type ResponseHead, ResponseHeadParser } from "./response-head.ts";
import { acceptsWebSocket, checkWebSocketRequest } from "./websocket.ts";

/** The key and its answer in RFC 6455 §1.3. */
const key = "dGhlIHNhbXBsZSBub25jZQ==";
const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

function request(lines: string, method = "GET"): RequestHead {
  const bytes = Buffer.from(`${method} /s HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n${lines}\r\n`, "latin1");
  return new RequestHeadParser(defaultHttpLimits).parse(bytes, 0, bytes.length) as RequestHead;
}

function response(lines: string, status = 101): ResponseHead {
  const bytes = Buffer.from(`HTTP/1.1 ${status} x\r\n${lines}\r\n`, "latin1");
  return new ResponseHeadParser(defaultHttpLimits).parse(bytes, 0, bytes.length, "GET") as ResponseHead;
}

describe("an opening handshake", () => {
  const good = `Upgrade: websocket\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n`;

  it("that is good passes, and so does what is none", () => {
    expect(checkWebSocketRequest(request(good))).toBeUndefined();
    expect(checkWebSocketRequest(request(""))).toBeUndefined();
    expect(checkWebSocketRequest(request("Upgrade: foo\r\n"))).toBeUndefined();
  });

  it.each([
    [400, "a method other than GET", good, "POST"],
    [400, "no key", good.replace(key, ""), "GET"],
    [400, "a key of 15 bytes", good.replace(key, "dGhlIHNhbXBsZSBub25j"), "GET"],
    [400, "a key that is no base64", good.replace(key, "dGhlIHNhbXBsZSBub25jZ*=="), "GET"],
    [426, "another version", good.replace("13", "8"), "GET"],
    [426, "two versions", good.replace("13", "13, 8"), "GET"],
  ])("is refused with %i for %s", (status, _, lines, method) => {
    expect(checkWebSocketRequest(request(lines, method))).toMatchObject({ kind: "rejection", status });
  });
});

describe("BAD-INPUTS 69: an answer to it", () => {
  const good = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n`;

  it("opens a tunnel only with the right accept key and all that belongs to it", () => {
    expect(acceptsWebSocket(key, response(good))).toBe(true);
    expect(acceptsWebSocket(key, response(good.replace(accept, "")))).toBe(false);
    expect(acceptsWebSocket(key, response(good.replace(accept, accept.toLowerCase())))).toBe(false);
    expect(acceptsWebSocket(key, response(good.replace("Connection: Upgrade\r\n", "")))).toBe(false);
    expect(acceptsWebSocket(key, response(good.replace("websocket", "foo")))).toBe(false);
    expect(acceptsWebSocket(key, response(good, 200))).toBe(false);
    expect(acceptsWebSocket("AAAAAAAAAAAAAAAAAAAAAA==", response(good))).toBe(false);
  });
});
