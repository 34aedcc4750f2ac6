import { describe, expect, it } from "vitest";
import { defaultHttpLimits } from "../../test/support/default-settings.ts";
import type { HttpLimits } from "../options/limit-options.ts";
import type { BadResponse } from "./rejection.ts";
import { ResponseHead, ResponseHeadParser } from "./response-head.ts";

function parse(text: string, method = "GET", limits: Partial<HttpLimits> = {}): ResponseHead | BadResponse | undefined {
  const bytes = Buffer.from(text, "latin1");
  return new ResponseHeadParser({ ...defaultHttpLimits, ...limits }).parse(bytes, 0, bytes.length, method);
}

function headOf(text: string, method = "GET"): ResponseHead {
  const head = parse(text, method);
  if (head instanceof ResponseHead) return head;
  throw new Error(`Not a head: ${JSON.stringify(head)}`);
}

function codeOf(text: string, limits: Partial<HttpLimits> = {}): string | undefined {
  const result = parse(text, "GET", limits);
  return result instanceof ResponseHead ? "accepted" : result?.code;
}

describe("a response head", () => {
  it("has what the status line and the headers say", () => {
    const text = "HTTP/1.1 404 Not  Found\xe4\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\n";
    const head = headOf(`${text}hello`);
    expect(head).toMatchObject({ status: 404, minorVersion: 1, reason: "Not  Found\xe4", byteLength: text.length });
    expect(head.headers).toEqual(["Content-Type", "a/b", "Content-Length", "5"]);
    expect(head.header("content-type")).toBe("a/b");
    expect(head.framing).toEqual({ kind: "length", bytes: 5 });
    expect(head).toMatchObject({ persistent: true, interim: false, upgrade: undefined });
  });

  it("may have no reason, with or without the space before it", () => {
    expect(headOf("HTTP/1.1 200 \r\n\r\n").reason).toBe("");
    expect(headOf("HTTP/1.1 200\r\n\r\n").reason).toBe("");
  });

  it.each([
    ["GET", 200, "", "close"],
    ["GET", 200, "Content-Length: 0\r\n", "none"],
    ["GET", 200, "Content-Length: 9\r\n", "length"],
    ["GET", 200, "Transfer-Encoding: chunked\r\n", "chunked"],
    ["HEAD", 200, "Content-Length: 9\r\n", "none"],
    ["HEAD", 200, "Transfer-Encoding: chunked\r\n", "none"],
    ["GET", 204, "", "none"],
    ["GET", 304, "Content-Length: 9\r\n", "none"],
    ["GET", 304, "Transfer-Encoding: chunked\r\n", "none"],
    ["GET", 100, "", "none"],
    ["GET", 101, "Connection: Upgrade\r\nUpgrade: x\r\n", "none"],
  ])("to %s with %i and %j ends by: %s", (method, status, lines, kind) => {
    expect(headOf(`HTTP/1.1 ${status} x\r\n${lines}\r\n`, method).framing.kind).toBe(kind);
  });

  it.each([
    ["HTTP/1.1", "Content-Length: 1\r\n", true],
    ["HTTP/1.1", "Content-Length: 1\r\nConnection: close\r\n", false],
    ["HTTP/1.1", "", false],
    ["HTTP/1.0", "Content-Length: 1\r\n", false],
    ["HTTP/1.0", "Content-Length: 1\r\nConnection: keep-alive\r\n", true],
  ])("of %s with %j leaves the connection usable: %s", (version, lines, persistent) => {
    expect(headOf(`${version} 200 OK\r\n${lines}\r\n`).persistent).toBe(persistent);
  });

  it("tells interim responses from a switch of protocols", () => {
    expect(headOf("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n").interim).toBe(true);
    const switched = headOf("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n");
    expect(switched).toMatchObject({ interim: false, upgrade: "websocket", persistent: false });
    expect(headOf("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n").upgrade).toBeUndefined();
    expect(headOf("HTTP/1.1 200 x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n").upgrade).toBeUndefined();
  });
});

describe("FAULTS 24: an invalid response head is refused", () => {
  it.each([
    ["no response at all", "GET / HTTP/1.1\r\n", "http.status-line"],
    ["an empty line before it", "\r\nHTTP/1.1 200 OK\r\n\r\n", "http.status-line"],
    ["HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", "http.status-line"],
    ["HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", "http.version-unsupported"],
    ["status 000", "HTTP/1.1 000 x\r\n\r\n", "http.status"],
    ["status 999", "HTTP/1.1 999 x\r\n\r\n", "http.status"],
    ["status 600", "HTTP/1.1 600 x\r\n\r\n", "http.status"],
    ["status 20", "HTTP/1.1 20 x\r\n\r\n", "http.status-line"],
    ["status 2000", "HTTP/1.1 2000 x\r\n\r\n", "http.status-line"],
    ["a bare LF", "HTTP/1.1 200 OK\n\n", "http.bare-lf"],
    ["a bare LF without a reason", "HTTP/1.1 200\n\n", "http.bare-lf"],
    ["a bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", "http.bare-cr"],
    ["a control octet in the reason", "HTTP/1.1 200 O\0K\r\n\r\n", "http.control-octet"],
    ["a folded line", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "http.obs-fold"],
    ["a bad Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "http.content-length"],
    [
      "two Content-Lengths",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
      "http.content-length-repeated",
    ],
    ["a bad Transfer-Encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n", "http.transfer-encoding"],
    ["a coding we have not", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "http.transfer-coding"],
    [
      "two Transfer-Encodings",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      "http.transfer-encoding",
    ],
    [
      "both framings",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "http.length-and-coding",
    ],
    ["chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "http.transfer-encoding-1.0"],
    ["an interim response that closes", "HTTP/1.1 100 x\r\nConnection: close\r\n\r\n", "http.interim-last"],
    [
      "a nominated Content-Length",
      "HTTP/1.1 200 OK\r\nConnection: content-length\r\n\r\n",
      "http.connection-nominates",
    ],
  ])("%s", (_, text, code) => {
    expect(codeOf(text)).toBe(code);
    const bytes = Buffer.from(text, "latin1");
    const parser = new ResponseHeadParser(defaultHttpLimits);
    const results = Array.from(bytes, (_octet, index) => parser.parse(bytes, 0, index + 1, "GET"));
    expect(results.find((result) => result !== undefined)).toMatchObject({ kind: "bad-response", code });
  });

  it("FAULTS 28: more headers than the limit", () => {
    expect(codeOf(`HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(129)}\r\n`)).toBe("http.too-many-headers");
    expect(codeOf(`HTTP/1.1 200 OK\r\nA: ${"b".repeat(20_000)}\r\n\r\n`)).toBe("http.head-too-large");
    expect(codeOf("HTTP/1.1 200 OK\r\n", { maxHeadBytes: 17 })).toBe("http.head-too-large");
  });

  it("FAULTS 23: a partial head is none yet", () => {
    expect(parse("HTTP/1.1 200 OK\r\nContent-Le")).toBeUndefined();
    expect(parse("")).toBeUndefined();
  });
});

describe("a parser that has read a head", () => {
  const text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: x\r\n\r\n";
  const read = (parser: ResponseHeadParser, bytes: string, method = "GET") =>
    parser.parse(Buffer.from(`..${bytes}`, "latin1"), 2, bytes.length + 2, method) as ResponseHead;

  it("answers the same bytes with the same object", () => {
    const parser = new ResponseHeadParser(defaultHttpLimits);
    const head = read(parser, `${text}hello`);
    expect(read(parser, `${text}world`)).toBe(head);
    expect(read(parser, text.slice(0, -1))).toBeUndefined();
    expect(read(parser, text)).toEqual(head);
  });

  it("but not if they answer another kind of request, or differ", () => {
    const parser = new ResponseHeadParser(defaultHttpLimits);
    const head = read(parser, text);
    expect(read(parser, text, "HEAD").framing.kind).toBe("none");
    expect(read(parser, text).framing.kind).toBe("length");
    expect(read(parser, text.replace("5", "6"))).not.toBe(head);
    expect(read(parser, text.replace("200", "201")).status).toBe(201);
  });
});
