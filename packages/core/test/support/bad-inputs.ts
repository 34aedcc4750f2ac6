import type { HttpLimits } from "../../src/options/limit-options.ts";
import { forwardedProto } from "./edge.ts";

/**
 * A row of the catalogue of bad inputs, as bytes on a client connection and the answer that is right. Shared by the
 * tests of the `http` layer and those that send the bytes through a front.
 */
export interface BadInput {
  /** The row's number in the catalogue. */
  readonly row: number;
  readonly name: string;
  /** Latin1. */
  readonly bytes: string;
  /** The statuses that may answer it, or what must reach the worker. */
  readonly expect: readonly number[] | RelayedRequest;
  /** Limits other than the defaults. */
  readonly limits?: Partial<HttpLimits>;
}

/** What a worker must see. */
export interface RelayedRequest {
  readonly method?: string;
  readonly target?: string;
  /**
   * Fields it must see, with these very values, by lower-case name; undefined: it must not see the field at all.
   * `:peer` stands for the client's own address, `:port` for the port it connected to.
   */
  readonly fields?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
}

export function isRelayed(expect: BadInput["expect"]): expect is RelayedRequest {
  return !Array.isArray(expect);
}

const host = "Host: a.example\r\n";

/** A head with these header lines, each ending in CRLF. */
function get(lines: string, requestLine = "GET / HTTP/1.1"): string {
  return `${requestLine}\r\n${host}${lines}\r\n`;
}

function post(lines: string, body: string, version = "1.1"): string {
  return `POST / HTTP/${version}\r\n${host}${lines}\r\n${body}`;
}

function chunked(body: string): string {
  return post("Transfer-Encoding: chunked\r\n", body);
}

function upgrade(lines: string, requestLine = "GET /socket HTTP/1.1"): string {
  return get(`Connection: Upgrade\r\n${lines}`, requestLine);
}

const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const webSocket = `Upgrade: websocket\r\n${key}Sec-WebSocket-Version: 13\r\n`;

export const badInputs: readonly BadInput[] = [
  // Framing
  row(
    1,
    "Content-Length with Transfer-Encoding",
    post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    400,
  ),
  row(
    1,
    "Transfer-Encoding with Content-Length",
    post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
    400,
  ),
  row(2, "differing Content-Lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n", "abc"), 400),
  row(3, "repeated Content-Length", post("Content-Length: 2\r\nContent-Length: 2\r\n", "ab"), 400),
  row(4, "Content-Length list", post("Content-Length: 2, 2\r\n", "ab"), 400),
  row(5, "Content-Length with a sign", post("Content-Length: +2\r\n", "ab"), 400),
  row(5, "negative Content-Length", post("Content-Length: -2\r\n", "ab"), 400),
  row(6, "hexadecimal Content-Length", post("Content-Length: 0x2\r\n", "ab"), 400),
  row(7, "empty Content-Length", post("Content-Length:\r\n", ""), 400),
  row(7, "blank Content-Length", post("Content-Length:   \r\n", ""), 400),
  row(7, "Content-Length with a tab behind it", post("Content-Length: 2\t\r\n", "ab"), 400),
  row(8, "Content-Length over 2^53", post("Content-Length: 9007199254740993\r\n", ""), 400),
  row(8, "Content-Length that wraps to 2", post("Content-Length: 18446744073709551618\r\n", "ab"), 400),
  row(9, "space before the colon", post("Content-Length : 2\r\n", "ab"), 400),
  row(9, "tab before the colon", post("Content-Length\t: 2\r\n", "ab"), 400),
  row(10, "chunked twice in one line", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400),
  row(
    11,
    "Transfer-Encoding twice",
    post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    400,
  ),
  row(12, "chunked not last", post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), 400),
  row(13, "xchunked", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 400),
  row(13, "identity", post("Transfer-Encoding: identity\r\n", "0\r\n\r\n"), 400),
  row(13, "chunked with a vertical tab", post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"), 400),
  row(13, "chunked with a tab behind it", post("Transfer-Encoding: chunked\t\r\n", "0\r\n\r\n"), 400),
  row(13, "chunked in quotes", post('Transfer-Encoding: "chunked"\r\n', "0\r\n\r\n"), 400),
  row(13, "empty Transfer-Encoding", post("Transfer-Encoding:\r\n", "0\r\n\r\n"), 400),
  row(14, "folded line", get("X-A: one\r\n two\r\n"), 400),
  row(14, "folded Transfer-Encoding", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), 400),
  row(15, "bare LF in the request line", `GET / HTTP/1.1\n${host}\r\n`, 400),
  row(15, "bare LF in a header line", "GET / HTTP/1.1\r\nHost: a.example\nX-A: b\r\n\r\n", 400),
  row(15, "bare LF as the blank line", `GET / HTTP/1.1\r\n${host}\n`, 400),
  row(15, "bare LF before the request", `\n${get("")}`, 400),
  row(16, "bare CR in a value", get("X-A: b\rX-B: c\r\n"), 400),
  row(16, "bare CR before the blank line", `GET / HTTP/1.1\r\n${host}\rX-A: b\r\n\r\n`, 400),
  row(17, "NUL in a value", get("X-A: b\0c\r\n"), 400),
  row(17, "control octet in a value", get("X-A: b\u0001c\r\n"), 400),
  row(17, "DEL in a value", get("X-A: b\u007fc\r\n"), 400),
  row(17, "NUL in a name", get("X\0A: b\r\n"), 400),
  row(18, "empty header name", get(": b\r\n"), 400),
  row(19, "no colon", get("X-A\r\n"), 400),
  row(20, "leading space on the first header", `GET / HTTP/1.1\r\n ${host}\r\n`, 400),
  row(21, "chunk size 0x2", chunked("0x2\r\nab\r\n0\r\n\r\n"), 400),
  row(21, "empty chunk size", chunked("\r\nab\r\n0\r\n\r\n"), 400),
  row(21, "signed chunk size", chunked("+2\r\nab\r\n0\r\n\r\n"), 400),
  row(21, "space behind a chunk size", chunked("2 \r\nab\r\n0\r\n\r\n"), 400),
  row(22, "LF in a chunk extension", chunked("2;a\nb\r\nab\r\n0\r\n\r\n"), 400),
  row(22, "CR in a chunk extension", chunked("2;a\rb\r\nab\r\n0\r\n\r\n"), 400),
  row(22, "LF behind a chunk size", chunked("2\nab\r\n0\r\n\r\n"), 400),
  row(23, "no CRLF after a chunk", chunked("2\r\nab0\r\n\r\n"), 400),
  row(23, "LF after a chunk", chunked("2\r\nab\n0\r\n\r\n"), 400),
  row(24, "chunk size overflow", chunked("10000000000000002\r\nab\r\n0\r\n\r\n"), 400),
  row(24, "chunk size over 2^53", chunked("20000000000001\r\nab\r\n0\r\n\r\n"), 400),
  row(25, "Content-Length in a trailer", chunked("2\r\nab\r\n0\r\nContent-Length: 5\r\n\r\n"), 400),
  row(25, "Host in a trailer", chunked("2\r\nab\r\n0\r\nHost: b.example\r\n\r\n"), 400),
  row(25, "Transfer-Encoding in a trailer", chunked("2\r\nab\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400),
  row(25, "malformed trailer", chunked("2\r\nab\r\n0\r\nX-A\r\n\r\n"), 400),
  row(26, "20 KB chunk extension", chunked(`2;${"a".repeat(20_000)}\r\nab\r\n0\r\n\r\n`), 413),
  row(27, "8-bit header name", get("X-\u00c4: b\r\n"), 400),
  row(28, "Transfer-Encoding with an empty element first", post("Transfer-Encoding: ,chunked\r\n", "0\r\n\r\n"), 400),
  row(28, "Transfer-Encoding with an empty element last", post("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n"), 400),
  row(29, "gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501),
  row(30, "Transfer-Encoding on HTTP/1.0", post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "1.0"), 400),
  row(31, "HTTP/0.9", "GET /\r\n", 400),
  row(31, "HTTP/0.9 with a space", "GET / \r\n\r\n", 400),
  row(32, "more headers than the limit", get("X-A: b\r\n".repeat(128)), 431),
  row(32, "Content-Length behind the limit", post(`${"X-A: b\r\n".repeat(200)}Content-Length: 2\r\n`, "ab"), 431),
  row(33, "chunk extension", chunked('2;a=b;c="d\\"";e\r\nab\r\n0;f\r\n\r\n'), {
    body: "ab",
    fields: { "transfer-encoding": "chunked", "content-length": undefined },
  }),

  // Headers and Host
  row(37, "two Hosts", get("Host: b.example\r\n"), 400),
  row(37, "the same Host twice", get(host), 400),
  row(38, "empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
  row(39, "Host with userinfo and path", "GET / HTTP/1.1\r\nHost: a@b/c?\r\n\r\n", 400),
  row(39, "Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
  row(39, "Host list", "GET / HTTP/1.1\r\nHost: a.example, b.example\r\n\r\n", 400),
  row(39, "Host with an IPv6 address that is none", "GET / HTTP/1.1\r\nHost: [ab..cd::1]\r\n\r\n", 400),
  row(39, "Host with a port that is none", "GET / HTTP/1.1\r\nHost: a.example:80a\r\n\r\n", 400),
  row(39, "Host with a port over 65535", "GET / HTTP/1.1\r\nHost: a.example:65536\r\n\r\n", 400),
  row(40, "absolute-form differs from Host", "GET http://b.example:81/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n", {
    target: "/x?y",
    fields: { host: "b.example:81", "x-forwarded-host": "b.example:81" },
  }),
  row(40, "absolute-form without a path", "GET http://b.example?y HTTP/1.1\r\nHost: a.example\r\n\r\n", {
    target: "/?y",
    fields: { host: "b.example" },
  }),
  row(40, "absolute-form with userinfo", "GET http://a@b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
  row(40, "absolute-form of another scheme", "GET ftp://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
  row(41, "missing Host", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n", 400),
  row(41, "missing Host on an upgrade", `GET / HTTP/1.1\r\nConnection: Upgrade\r\n${webSocket}\r\n`, 400),
  row(41, "missing Host with an absolute-form target", "GET http://a.example/ HTTP/1.1\r\n\r\n", 400),
  row(43, "header __proto__", get("__proto__: b\r\nconstructor: c\r\n"), {
    fields: { ["__proto__"]: "b", constructor: "c" },
  }),
  row(44, "20 KB header", get(`X-A: ${"b".repeat(20_480)}\r\n`), 431),
  row(45, "underscore aliases", get("X_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Proto: https\r\nx_real_ip: 6.6.6.6\r\n"), {
    fields: { x_forwarded_for: undefined, "x-forwarded_proto": undefined, x_real_ip: undefined },
  }),
  row(46, "Expect: foo", post("Expect: foo\r\nContent-Length: 2\r\n", "ab"), 417),
  row(47, "Expect: y 100-continue", post("Expect: y 100-continue\r\nContent-Length: 2\r\n", "ab"), 417),
  row(47, "Expect twice", post("Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 2\r\n", "ab"), 417),
  row(48, "Trailer without a body", get("Trailer: X-A\r\n"), { fields: { trailer: undefined } }),
  row(49, "TE: gzip", get("TE: gzip\r\nConnection: TE\r\n"), { fields: { te: undefined, connection: undefined } }),
  row(49, "TE: gzip, trailers", get("TE: gzip, trailers\r\nConnection: TE\r\n"), { fields: { te: "trailers" } }),

  // Method and target
  row(51, "unknown method", get("", "FROB / HTTP/1.1"), 400),
  row(51, "lower-case method", get("", "get / HTTP/1.1"), 400),
  row(51, "method that is no token", get("", "GE(T / HTTP/1.1"), 400),
  row(51, "extension method of WebDAV", get("Depth: 1\r\n", "PROPFIND /a HTTP/1.1"), {
    method: "PROPFIND",
    target: "/a",
  }),
  row(52, "TRACE", get("", "TRACE / HTTP/1.1"), 405),
  row(53, "CONNECT", get("", "CONNECT a.example:443 HTTP/1.1"), 405),
  row(54, "GET *", get("", "GET * HTTP/1.1"), 400),
  row(54, "OPTIONS *", get("", "OPTIONS * HTTP/1.1"), { method: "OPTIONS", target: "*" }),
  row(54, "relative target", get("", "GET index.html HTTP/1.1"), 400),
  row(55, "fragment", get("", "GET /a#b HTTP/1.1"), 400),
  row(56, "target that looks like an authority", get("", "GET //evil.example/ HTTP/1.1"), {
    target: "//evil.example/",
    fields: { host: "a.example" },
  }),
  row(57, "encoded dots and slashes", get("", "GET /a/%2e%2e/..%2fb/../%5c HTTP/1.1"), {
    target: "/a/%2e%2e/..%2fb/../%5c",
  }),
  row(58, "space in the target", get("", "GET /a b HTTP/1.1"), 400),
  row(58, "tab in the target", get("", "GET /a\tb HTTP/1.1"), 400),
  row(58, "8-bit in the target", get("", "GET /\u00e4 HTTP/1.1"), 400),
  row(58, "two spaces before the target", get("", "GET  / HTTP/1.1"), 400),
  row(58, "space behind the version", get("", "GET / HTTP/1.1 "), 400),
  row(59, "over-long target", get("", `GET /${"a".repeat(8_192)} HTTP/1.1`), 414),
  row(60, "HTTP/1.2", get("", "GET / HTTP/1.2"), 505),
  row(60, "HTTP/9.9", get("", "GET / HTTP/9.9"), 505),
  row(60, "HTTP/11.1", get("", "GET / HTTP/11.1"), 400),
  row(60, "lower-case version", get("", "GET / http/1.1"), 400),
  row(60, "HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
  row(60, "TLS hello", "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003", 400),

  // WebSocket and upgrades
  row(61, "upgrade with a body", `${upgrade(`${webSocket}Content-Length: 2\r\n`)}ab`, 400),
  row(61, "upgrade with a chunked body", `${upgrade(`${webSocket}Transfer-Encoding: chunked\r\n`)}0\r\n\r\n`, 400),
  row(61, "upgrade with the next request attached", upgrade(webSocket) + get(""), 400),
  row(62, "Upgrade: h2c", upgrade("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"), {
    target: "/socket",
    fields: { upgrade: undefined, connection: undefined, "http2-settings": undefined },
  }),
  row(62, "Upgrade without Connection: upgrade", get(webSocket), { fields: { upgrade: undefined } }),
  row(63, "upgrade on HTTP/1.0", upgrade(webSocket, "GET /socket HTTP/1.0"), 400),
  row(64, "no Sec-WebSocket-Key", upgrade("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"), 400),
  row(64, "two Sec-WebSocket-Keys", upgrade(webSocket + key), 400),
  row(
    64,
    "short Sec-WebSocket-Key",
    upgrade("Upgrade: websocket\r\nSec-WebSocket-Key: abc=\r\nSec-WebSocket-Version: 13\r\n"),
    400,
  ),
  row(65, "WebSocket version 12", upgrade(`Upgrade: websocket\r\n${key}Sec-WebSocket-Version: 12\r\n`), 426),
  row(65, "no WebSocket version", upgrade(`Upgrade: websocket\r\n${key}`), 426),
  row(66, "Upgrade behind the header limit", upgrade("X-A: b\r\n".repeat(200) + webSocket), 431),
  row(70, "32 KB of spaces in a header", get(`X-A:${" ".repeat(32_768)}b\r\n`), 431),

  // Body size
  {
    ...row(80, "Content-Length over the limit", post("Content-Length: 1001\r\n", ""), 413),
    limits: { maxBodyBytes: 1000 },
  },
  {
    ...row(81, "chunked over the limit", chunked(`${"1f4\r\n".concat("a".repeat(500), "\r\n").repeat(2)}1\r\n`), 413),
    limits: { maxBodyBytes: 1000 },
  },

  // Forwarding and hop-by-hop
  row(91, "X-Forwarded-For from an untrusted peer", get("X-Forwarded-For: 6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n"), {
    fields: { "x-forwarded-for": ":peer", "x-real-ip": ":peer" },
  }),
  row(
    92,
    "X-Forwarded-Proto, -Host, -Port from an untrusted peer",
    get("X-Forwarded-Proto: gopher\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /evil\r\n"),
    {
      fields: {
        "x-forwarded-proto": forwardedProto,
        "x-forwarded-host": "a.example",
        "x-forwarded-port": ":port",
        "x-forwarded-prefix": undefined,
      },
    },
  ),
  row(93, "Forwarded", get("Forwarded: for=6.6.6.6\r\n"), { fields: { forwarded: undefined } }),
  row(94, "Connection nominates X-Forwarded-For", get("Connection: x-forwarded-for, x-a\r\nX-A: b\r\n"), {
    fields: { "x-forwarded-for": ":peer", "x-a": undefined, connection: undefined },
  }),
  row(95, "Connection nominates Host and Content-Length", get("Connection: host, content-length\r\n"), 400),
  row(95, "Connection nominates Transfer-Encoding", get("Connection: transfer-encoding\r\n"), 400),
  row(
    96,
    "Proxy and Keep-Alive fields",
    get("Proxy: evil\r\nKeep-Alive: timeout=5\r\nProxy-Authorization: Basic eDp5\r\nProxy-Connection: keep-alive\r\n"),
    {
      fields: {
        proxy: undefined,
        "keep-alive": undefined,
        "proxy-authorization": undefined,
        "proxy-connection": undefined,
      },
    },
  ),
];

function row(row: number, name: string, bytes: string, expect: number | RelayedRequest): BadInput {
  return { row, name, bytes, expect: typeof expect === "number" ? [expect] : expect };
}
