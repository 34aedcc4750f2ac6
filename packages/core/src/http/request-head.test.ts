import { METHODS } from "node:http";
import { describe, expect, it } from "vitest";
import { defaultHttpLimits } from "../../test/support/default-settings.ts";
import type { HttpLimits } from "../options/limit-options.ts";
import type { Rejection } from "./rejection.ts";
import { RequestHead, RequestHeadParser } from "./request-head.ts";

const blank = "\r\n";

function parse(text: string, limits: Partial<HttpLimits> = {}): RequestHead | Rejection | undefined {
  const bytes = Buffer.from(text, "latin1");
  return new RequestHeadParser({ ...defaultHttpLimits, ...limits }).parse(bytes, 0, bytes.length);
}

function headOf(text: string): RequestHead {
  const head = parse(text);
  if (head instanceof RequestHead) return head;
  throw new Error(`Not a head: ${JSON.stringify(head)}`);
}

function codeOf(text: string, limits: Partial<HttpLimits> = {}): string | undefined {
  const result = parse(text, limits);
  return result instanceof RequestHead ? "accepted" : result?.code;
}

describe("a request head", () => {
  it("has what the request line and the headers say", () => {
    const head = headOf("GET /a?b HTTP/1.1\r\nHost: a.example:81\r\nX-One:  1 \t\r\nX-Empty:\r\n\r\nrest");
    expect(head).toMatchObject({ method: "GET", target: "/a?b", minorVersion: 1, authority: undefined });
    expect(head.host).toBe("a.example:81");
    expect(head.headers).toEqual(["Host", "a.example:81", "X-One", "1", "X-Empty", ""]);
    expect(head.framing).toEqual({ kind: "none" });
    expect(head.byteLength).toBe("GET /a?b HTTP/1.1\r\nHost: a.example:81\r\nX-One:  1 \t\r\nX-Empty:\r\n\r\n".length);
  });

  it("keeps octets over 127 in values as latin1", () => {
    expect(headOf("GET / HTTP/1.1\r\nHost: a\r\nX-A: \xe4\xff\r\n\r\n").header("x-a")).toBe("\xe4\xff");
  });

  it("joins fields of one name, cookies with a semicolon", () => {
    const head = headOf("GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nCookie: a=b\r\nx-a: 2\r\ncookie: c=d\r\n\r\n");
    expect(head.header("x-a")).toBe("1, 2");
    expect(head.header("cookie")).toBe("a=b; c=d");
    expect(head.header("x-b")).toBeUndefined();
  });

  it("knows a length of 0 from none, and leading zeros from octal", () => {
    expect(headOf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").framing.kind).toBe("none");
    const zeros = headOf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0010\r\n\r\n");
    expect(zeros.framing).toEqual({ kind: "length", bytes: 10 });
  });

  it.each([
    ["HTTP/1.1", "", true],
    ["HTTP/1.1", "Connection: close\r\n", false],
    ["HTTP/1.1", "Connection: keep-alive, Close\r\n", false],
    ["HTTP/1.1", "Proxy-Connection: close\r\n", false],
    ["HTTP/1.0", "", false],
    ["HTTP/1.0", "Connection: Keep-Alive\r\n", true],
    ["HTTP/1.0", "Connection: keep-alive\r\nConnection: close\r\n", false],
  ])("%s with %j is persistent: %s", (version, lines, persistent) => {
    expect(headOf(`GET / ${version}\r\nHost: a\r\n${lines}\r\n`).persistent).toBe(persistent);
  });

  it("expects 100 (Continue) only on HTTP/1.1 and with a body", () => {
    const request = (version: string, length: number) =>
      headOf(`POST / HTTP/${version}\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: ${length}\r\n\r\n`);
    expect(request("1.1", 2).expectsContinue).toBe(true);
    expect(request("1.1", 0).expectsContinue).toBe(false);
    expect(request("1.0", 2).expectsContinue).toBe(false);
  });

  it.each([
    ["websocket", "websocket"],
    ["WebSocket", "websocket"],
    ["h2c, websocket", "websocket"],
    ["foo/2", "foo/2"],
    ["foo, bar", undefined],
    ["h2c", undefined],
    ["HTTP/2.0", undefined],
    ["TLS/1.2", undefined],
    ["a b", undefined],
    ["", undefined],
  ])("Upgrade: %j asks for %s", (value, upgrade) => {
    const head = headOf(`GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: ${value}\r\n\r\n`);
    expect(head.upgrade).toBe(upgrade);
  });

  it.each([
    ["http://b.example", "GET", "/", "b.example"],
    ["http://b.example/", "GET", "/", "b.example"],
    ["HTTP://b.example:8080/x/?y", "GET", "/x/?y", "b.example:8080"],
    ["https://[::1]?y", "GET", "/?y", "[::1]"],
    ["http://b.example", "OPTIONS", "*", "b.example"],
    ["http://b.example//c", "GET", "//c", "b.example"],
  ])("absolute-form %s of %s is reduced to %s of %s", (target, method, reduced, host) => {
    const head = headOf(`${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect([head.target, head.host]).toEqual([reduced, host]);
  });

  it("takes every method Node's parser takes, but for TRACE and CONNECT", () => {
    const left: string[] = [];
    for (const method of METHODS) {
      const text = `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`;
      const head = parse(text);
      if (head instanceof RequestHead) expect(head.method).toBe(method);
      else left.push(method);
    }
    expect(left.sort()).toEqual(["CONNECT", "TRACE"]);
  });

  it.each(["a", "a-b.c_d~e", "A.EXAMPLE", "127.0.0.1", "a:0", "a:65535", "[::1]", "[2001:db8::1]:443"])(
    "Host: %s is a host",
    (host) => {
      expect(headOf(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).host).toBe(host);
    },
  );

  it.each(["a:", "a:123456", ":80", "[]", "[::1", "[::g]", "::1", "a%20b", "a/b", "a\\b", "a\xe4", "a,b", "[::1]x"])(
    "Host: %s is none",
    (host) => {
      expect(codeOf(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toBe("http.host");
    },
  );
});

describe("empty lines before a request", () => {
  const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

  it("are skipped up to four, and counted in the length", () => {
    expect(headOf(blank.repeat(4) + request).byteLength).toBe(request.length + 8);
    expect(codeOf(blank.repeat(5) + request)).toBe("http.empty-lines");
  });

  it("are no reason to reject what follows, nor a head by themselves", () => {
    expect(parse(blank)).toBeUndefined();
    expect(parse("\r")).toBeUndefined();
    expect(codeOf("\rG")).toBe("http.bare-cr");
  });
});

describe("an incomplete head that is wrong already is rejected at once", () => {
  it.each([
    ["a lower-case method", "g", "http.method"],
    ["a TLS hello", "\x16", "http.method"],
    ["an HTTP/2 preface", "PRI ", "http.h2-preface"],
    ["a method that grows too long", "ABCDEFGHIJKLM", "http.method"],
    ["CONNECT", "CONNECT ", "http.method-connect"],
    ["a control octet in the target", "GET /\x01", "http.target"],
    ["a fragment", "GET /#", "http.target-fragment"],
    ["a version that is not 1.x", "GET / HTTP/2", "http.version-unsupported"],
    ["a bare LF", "GET / HTTP/1.1\n", "http.bare-lf"],
    ["a space before a colon", "GET / HTTP/1.1\r\nHost ", "http.space-before-colon"],
    ["a folded line", "GET / HTTP/1.1\r\nHost: a\r\n ", "http.obs-fold"],
    ["a control octet in a value", "GET / HTTP/1.1\r\nHost: \x00", "http.control-octet"],
    ["an empty name", "GET / HTTP/1.1\r\n:", "http.empty-name"],
  ])("%s", (_, text, code) => {
    expect(parse(text.slice(0, -1))).toBeUndefined();
    expect(codeOf(text)).toBe(code);
  });
});

describe("limits", () => {
  const lines = "Host: a\r\n";
  const head = `GET /abc HTTP/1.1\r\n${lines}\r\n`;

  it("hold for the head as a whole, complete or not", () => {
    expect(codeOf(head, { maxHeadBytes: head.length })).toBe("accepted");
    expect(codeOf(head, { maxHeadBytes: head.length - 1 })).toBe("http.head-too-large");
    expect(codeOf(head.slice(0, -1), { maxHeadBytes: head.length - 1 })).toBe("http.head-too-large");
    expect(codeOf(head.slice(0, -2), { maxHeadBytes: head.length - 1 })).toBeUndefined();
  });

  it("hold for the target, before its end is there", () => {
    expect(codeOf(head, { maxTargetBytes: 4 })).toBe("accepted");
    expect(codeOf(head, { maxTargetBytes: 3 })).toBe("http.target-too-large");
    expect(codeOf("GET /abc", { maxTargetBytes: 3 })).toBe("http.target-too-large");
    expect(codeOf("GET /abc", { maxHeadBytes: 8 })).toBe("http.target-too-large");
  });

  it("hold for the number of header lines, before the end of the head is there", () => {
    expect(codeOf(head, { maxHeaders: 1 })).toBe("accepted");
    expect(codeOf(`GET / HTTP/1.1\r\n${lines}X`, { maxHeaders: 1 })).toBe("http.too-many-headers");
  });

  it("hold for a declared length", () => {
    const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n";
    expect(codeOf(post, { maxBodyBytes: 11 })).toBe("accepted");
    expect(codeOf(post, { maxBodyBytes: 10 })).toBe("http.body-too-large");
  });
});

describe("a parser that has read a head", () => {
  const parser = (): RequestHeadParser => new RequestHeadParser(defaultHttpLimits);
  const read = (reader: RequestHeadParser, text: string) => {
    const bytes = Buffer.from(text, "latin1");
    return reader.parse(bytes, 0, bytes.length) as RequestHead;
  };
  const lines = "Host: a\r\nAccept: */*\r\n\r\n";

  it("reads the same header lines no second time", () => {
    const reader = parser();
    const first = read(reader, `GET /a HTTP/1.1\r\n${lines}`);
    const second = read(reader, `POST /b HTTP/1.1\r\n${lines}body`);
    expect(second).toMatchObject({ method: "POST", target: "/b" });
    expect(second.fields).toBe(first.fields);
    expect(second.byteLength).toBe(`POST /b HTTP/1.1\r\n${lines}`.length);
  });

  it("reads lines that only begin or end alike", () => {
    const reader = parser();
    read(reader, `GET / HTTP/1.1\r\n${lines}`);
    const changed = read(reader, "GET / HTTP/1.1\r\nHost: b\r\nAccept: */*\r\n\r\n");
    expect(changed.host).toBe("b");
    const longer = read(reader, "GET / HTTP/1.1\r\nHost: b\r\nAccept: */*\r\nX-A: b\r\n\r\n");
    expect(longer.headers).toHaveLength(6);
  });

  it("checks the version anew", () => {
    const reader = parser();
    expect(read(reader, "GET / HTTP/1.0\r\nAccept: */*\r\n\r\n").host).toBe("");
    expect(read(reader, "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n")).toMatchObject({ code: "http.host-missing" });
  });

  it("starts anew after a rejection and after reset", () => {
    const reader = parser();
    expect(read(reader, "GET / HTTP/1.1\r\nHost : a\r\n\r\n")).toMatchObject({ kind: "rejection" });
    expect(read(reader, `GET / HTTP/1.1\r\n${lines}`).target).toBe("/");
    expect(read(reader, "GET /half")).toBeUndefined();
    reader.reset();
    expect(read(reader, `GET /whole HTTP/1.1\r\n${lines}`).target).toBe("/whole");
  });

  it("reads pipelined requests one by one", () => {
    const reader = parser();
    const requests = ["GET /1", "GET /1", "GET http://b/3"].map((line) => `${line} HTTP/1.1\r\n${lines}`);
    const bytes = Buffer.from(requests.join(""), "latin1");
    const seen: string[] = [];
    for (let at = 0; at < bytes.length; ) {
      const head = reader.parse(bytes, at, bytes.length) as RequestHead;
      seen.push(head.host + head.target);
      at += head.byteLength;
    }
    expect(seen).toEqual(["a/1", "a/1", "b/3"]);
  });
});
