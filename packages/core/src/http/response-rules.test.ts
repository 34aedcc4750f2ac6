import { describe, expect, test } from "vitest";
import { defaultHttpLimits } from "../../test/support/default-settings.ts";
import { headerSchema } from "../options/header-options.ts";
import { securityHeaderSchema } from "../options/security-header-options.ts";
import { parseOptions } from "../options/validation.ts";
import { type DownstreamOptions, downstreamResponseHead, passesVerbatim } from "./downstream.ts";
import { type ForwardingFacts, upstreamRequestHead } from "./forwarding.ts";
import { type RequestHead, RequestHeadParser } from "./request-head.ts";
import { type ResponseHead, ResponseHeadParser } from "./response-head.ts";
import { responseRules } from "./response-rules.ts";

const plain: ForwardingFacts = { peerAddress: "192.0.2.1", peerTrusted: false, encrypted: false, localPort: 80 };
const tls: ForwardingFacts = { ...plain, encrypted: true, serverName: "a.example" };

function requestOf(lines = "", host = "a.example"): RequestHead {
  const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`);
  return new RequestHeadParser(defaultHttpLimits).parse(bytes, 0, bytes.length) as RequestHead;
}

function responseOf(lines: string, status = "200 OK"): ResponseHead {
  const bytes = Buffer.from(`HTTP/1.1 ${status}\r\nDate: now\r\n${lines}\r\n`);
  return new ResponseHeadParser(defaultHttpLimits).parse(bytes, 0, bytes.length, "GET") as ResponseHead;
}

function front(securityHeaders: unknown, response: unknown = undefined) {
  const rules = parseOptions(headerSchema, { response }, "headers").response;
  const made = responseRules({
    rules,
    security: parseOptions(securityHeaderSchema, securityHeaders, "securityHeaders"),
  });
  const optionsFor = (head: ResponseHead, request: RequestHead, facts: ForwardingFacts): DownstreamOptions => ({
    clientMinorVersion: 1,
    keepAlive: true,
    extra: made?.linesFor(head, request, facts) ?? "",
    dropped: made?.dropped,
  });
  return {
    made,
    /** The fields that the client gets. */
    fields: (head: ResponseHead, request = requestOf(), facts = plain) =>
      downstreamResponseHead(head, optionsFor(head, request, facts))
        .trim()
        .split("\r\n")
        .slice(2),
    verbatim: (head: ResponseHead) => passesVerbatim(head, optionsFor(head, requestOf(), plain)),
  };
}

const length = "Content-Length: 2\r\n";
const three = [
  "X-Content-Type-Options: nosniff",
  "X-Frame-Options: SAMEORIGIN",
  "Referrer-Policy: strict-origin-when-cross-origin",
];

describe("security headers", () => {
  test("are added where the app has none, and left where it has", () => {
    const { fields } = front(true);
    expect(fields(responseOf(length))).toEqual(["Content-Length: 2", ...three]);
    const own = `x-frame-options: DENY\r\nREFERRER-POLICY: origin\r\n${length}`;
    expect(fields(responseOf(own))).toEqual([
      "x-frame-options: DENY",
      "REFERRER-POLICY: origin",
      "Content-Length: 2",
      three[0],
    ]);
  });

  test("HSTS is for clients that came over TLS, here or to a proxy of ours, and not for this machine", () => {
    const { fields } = front({ contentTypeOptions: false, frameOptions: false, referrerPolicy: false });
    const hsts = "Strict-Transport-Security: max-age=31536000";
    const saysHttps = requestOf("X-Forwarded-Proto: https\r\n");
    const of = (request: RequestHead, facts: ForwardingFacts) => fields(responseOf(length), request, facts).slice(1);
    expect(of(requestOf(), plain)).toEqual([]);
    expect(of(requestOf(), tls)).toEqual([hsts]);
    expect(of(saysHttps, plain)).toEqual([]);
    expect(of(saysHttps, { ...plain, peerTrusted: true })).toEqual([hsts]);
    for (const host of ["localhost:443", "app.localhost", "LOCALHOST"])
      expect(of(requestOf("", host), tls)).toEqual([]);
  });

  test("one head serves clients of both kinds", () => {
    const { fields } = front(true);
    const head = responseOf(length);
    expect(
      [fields(head, requestOf(), tls), fields(head), fields(head, requestOf(), tls)].map((one) => one.length),
    ).toEqual([5, 4, 5]);
  });

  test("as they are set", () => {
    const hsts = { maxAgeSeconds: 63_072_000, includeSubDomains: true, preload: true };
    const { fields } = front({ hsts, frameOptions: "DENY", contentTypeOptions: false, referrerPolicy: "no-referrer" });
    expect(fields(responseOf(length), requestOf(), tls)).toEqual([
      "Content-Length: 2",
      "Strict-Transport-Security: max-age=63072000; includeSubDomains; preload",
      "X-Frame-Options: DENY",
      "Referrer-Policy: no-referrer",
    ]);
  });

  test("answers of our own have them, and no rules", () => {
    const { made } = front(true, { set: { Server: "us" } });
    expect(made?.ownLines(plain).split("\r\n")).toEqual([...three, ""]);
    expect(made?.ownLines(tls)).toMatch(/^Strict-Transport-Security: max-age=31536000\r\n/);
    expect(made?.ownLines({ encrypted: true, serverName: "localhost" })).not.toContain("Strict");
  });
});

describe("rules", () => {
  test("remove, set and add, whatever the case; of what they set nothing is added again", () => {
    const { fields } = front(true, {
      remove: ["server", "X-Powered-By", "x-frame-options"],
      set: { "Cache-Control": "no-store", "referrer-policy": "origin" },
      add: { Link: ["<a>", "<b>"], "X-Id": "1" },
    });
    const head = responseOf(
      `Server: x\r\nx-powered-by: y\r\nX-POWERED-BY: z\r\nCache-Control: public\r\nLink: <0>\r\nX-Frame-Options: DENY\r\n${length}`,
    );
    expect(fields(head)).toEqual([
      "Link: <0>",
      "Content-Length: 2",
      "Cache-Control: no-store",
      "referrer-policy: origin",
      "Link: <a>",
      "Link: <b>",
      "X-Id: 1",
      "X-Content-Type-Options: nosniff",
      // The app's was removed.
      "X-Frame-Options: SAMEORIGIN",
    ]);
  });

  test("what they have nothing to do with passes as it was received", () => {
    const removing = front(false, { remove: ["Server"] });
    expect(removing.verbatim(responseOf(length))).toBe(true);
    expect(removing.verbatim(responseOf(`Server: x\r\n${length}`))).toBe(false);
    expect(front(true).verbatim(responseOf(length))).toBe(false);
    expect(front(true).verbatim(responseOf(`${three.join("\r\n")}\r\n${length}`))).toBe(true);
    expect(front(false).made).toBeUndefined();
  });

  test("a 101 is left alone", () => {
    const { fields } = front(true, { remove: ["Server"], set: { "X-A": "b" } });
    expect(
      fields(responseOf("Upgrade: websocket\r\nConnection: Upgrade\r\nServer: x\r\n", "101 Switching Protocols")),
    ).toEqual(["Upgrade: websocket", "Server: x", "Connection: Upgrade"]);
  });

  test("of requests are for what the client says, and not for what we say", () => {
    const rules = parseOptions(
      headerSchema,
      { request: { remove: ["X-Debug", "Cookie"], set: { "X-Site": "shop" }, add: { Via: "1.1 us" } } },
      "headers",
    ).request;
    const head = requestOf("X-Debug: 1\r\nx-site: forged\r\nVia: 1.0 them\r\nCookie: a=b\r\n");
    const lines = upstreamRequestHead(head, { ...plain, rules })
      .trim()
      .split("\r\n")
      .slice(1);
    expect(lines.slice(0, 5)).toEqual([
      "Host: a.example",
      "Via: 1.0 them",
      "X-Site: shop",
      "Via: 1.1 us",
      "X-Forwarded-For: 192.0.2.1",
    ]);
  });
});

describe("what is refused", () => {
  test.each<[object, RegExp]>([
    [{ response: { set: { Connection: "close" } } }, /"headers\.response\.set\.Connection".*how a message is carried/],
    [{ response: { remove: ["Transfer-Encoding"] } }, /"headers\.response\.remove\[0\]".*how a message is carried/],
    [{ response: { add: { "content-length": "5" } } }, /how a message is carried/],
    [{ request: { remove: ["Sec-WebSocket-Key"] } }, /how a message is carried/],
    [{ request: { set: { Upgrade: "x" } } }, /how a message is carried/],
    [{ request: { set: { Host: "evil" } } }, /"headers\.request\.set\.Host".*trustedProxies/],
    [{ request: { set: { x_forwarded_for: "1.2.3.4" } } }, /trustedProxies/],
    [{ response: { remove: ["Date"] } }, /says it itself where the app does not/],
    [{ response: { set: { "X A": "b" } } }, /"headers\.response\.set\.X A".*give the name of a header field/],
    [{ response: { set: { "X-A": "b\r\nSet-Cookie: c" } } }, /"headers\.response\.set\.X-A".*without line breaks/],
    [{ response: { set: { "X-A": "" } } }, /without line breaks/],
    [{ response: { set: { "X-A": "€" } } }, /without line breaks/],
    [{ response: { add: { "X-A": ["a", "b\0"] } } }, /without line breaks/],
    [{ response: { sett: {} } }, /did you mean "set"/],
  ])("%j", (given, message) => {
    expect(() => parseOptions(headerSchema, given, "headers")).toThrow(message);
  });

  test("an HSTS list that browsers would not take", () => {
    const preload = { hsts: { preload: true } };
    expect(() => parseOptions(securityHeaderSchema, preload, "securityHeaders")).toThrow(
      /preload takes includeSubDomains/,
    );
  });
});
