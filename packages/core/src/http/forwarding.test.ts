import { describe, expect, it } from "vitest";
import { defaultHttpLimits } from "../../test/support/default-settings.ts";
import { addressOfEntry } from "./address.ts";
import {
  clientAddressOf,
  type ForwardingFacts,
  identify,
  normaliseAddress,
  underSpan,
  upstreamRequestHead,
} from "./forwarding.ts";
import { type RequestHead, RequestHeadParser } from "./request-head.ts";
import { RequestIds } from "./request-ids.ts";
import { TraceContexts } from "./trace-contexts.ts";

const untrusted: ForwardingFacts = { peerAddress: "192.0.2.1", peerTrusted: false, encrypted: false, localPort: 3000 };
const trusted: ForwardingFacts = { ...untrusted, peerTrusted: true };

function headOf(text: string, parser = new RequestHeadParser(defaultHttpLimits)): RequestHead {
  const bytes = Buffer.from(text, "latin1");
  return parser.parse(bytes, 0, bytes.length) as RequestHead;
}

function get(lines: string): RequestHead {
  return headOf(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
}

/** The fields that go upstream. */
function fields(head: RequestHead, facts = untrusted): string[] {
  const text = upstreamRequestHead(head, facts);
  expect(text.endsWith("\r\n\r\n")).toBe(true);
  return text.slice(0, -4).split("\r\n").slice(1);
}

const ours = [
  "X-Forwarded-For: 192.0.2.1",
  "X-Forwarded-Proto: http",
  "X-Forwarded-Host: a",
  "X-Forwarded-Port: 3000",
  "X-Real-IP: 192.0.2.1",
];

describe("the head that goes upstream", () => {
  it("passes all else byte for byte and in order", () => {
    const lines = ["Accept:  */* ", "x-odd:\tb", "Cookie: a=b", "X-Empty:", "X-Latin: \xe4"];
    expect(fields(get(`${lines.join("\r\n")}\r\n`))).toEqual(["Host: a", ...lines, ...ours]);
  });

  it("is HTTP/1.1 with the method and the target as they came", () => {
    const head = headOf("DELETE /%2e/..//a?b HTTP/1.0\r\nHost: a\r\n\r\n");
    expect(upstreamRequestHead(head, untrusted).startsWith("DELETE /%2e/..//a?b HTTP/1.1\r\nHost: a\r\n")).toBe(true);
  });

  it("has an empty Host if an HTTP/1.0 client named none (RFC 9112 §3.2)", () => {
    const [host, ...rest] = fields(headOf("GET / HTTP/1.0\r\n\r\n"));
    expect(host).toBe("Host: ");
    expect(rest.some((line) => line.startsWith("X-Forwarded-Host"))).toBe(false);
  });

  it("loses Cookie where Connection nominates it, as any other field", () => {
    expect(fields(get("Cookie: a=b\r\nConnection: close, cookie\r\nX-A: b\r\n"))).toEqual([
      "Host: a",
      "X-A: b",
      ...ours,
    ]);
  });

  it("writes framing as we would", () => {
    expect(fields(get("content-length:007\r\n"))).toContain("Content-Length: 7");
    expect(fields(get("Content-Length: 7\r\n"))).toContain("Content-Length: 7");
    expect(fields(get("transfer-encoding:  Chunked\r\n"))).toContain("Transfer-Encoding: chunked");
    expect(fields(get("Content-Length: 0\r\n"))).toContain("Content-Length: 0");
  });

  it("keeps Trailer with a chunked body, and Expect on HTTP/1.1 with a body", () => {
    expect(fields(get("Transfer-Encoding: chunked\r\nTrailer: X-A\r\n"))).toContain("Trailer: X-A");
    expect(fields(get("Content-Length: 2\r\nExpect: 100-continue\r\n"))).toContain("Expect: 100-continue");
    const older = headOf("POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    expect(fields(older)).not.toContain("Expect: 100-continue");
  });

  it("names the accepted protocol alone in an upgrade", () => {
    const head = get("Connection: keep-alive, Upgrade\r\nUpgrade: h2c, WebSocket\r\n");
    expect(fields(head)).toEqual(["Host: a", "Connection: Upgrade", "Upgrade: websocket", ...ours]);
  });

  it("says https if the client came over TLS", () => {
    expect(fields(get(""), { ...untrusted, encrypted: true })).toContain("X-Forwarded-Proto: https");
  });

  it("is made once for the header lines of a connection, and anew for another", () => {
    const parser = new RequestHeadParser(defaultHttpLimits);
    const first = headOf("GET /1 HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n", parser);
    const second = headOf("GET /2 HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n", parser);
    expect(fields(first)).toEqual(fields(second));
    expect(second.fields.forwardedFacts).toBe(untrusted);
    expect(fields(second, { ...untrusted, peerAddress: "192.0.2.2" })).toContain("X-Forwarded-For: 192.0.2.2");
    expect(fields(first)).toContain("X-Forwarded-For: 192.0.2.1");
  });

  it("takes the host of an absolute-form target for that request only", () => {
    const parser = new RequestHeadParser(defaultHttpLimits);
    const lines = "Host: a\r\nX-A: b\r\n\r\n";
    expect(fields(headOf(`GET /1 HTTP/1.1\r\n${lines}`, parser))).toContain("Host: a");
    const absolute = fields(headOf(`GET http://b/2 HTTP/1.1\r\n${lines}`, parser));
    expect(absolute.slice(0, 2)).toEqual(["Host: b", "X-A: b"]);
    expect(absolute).toContain("X-Forwarded-Host: b");
    expect(fields(headOf(`GET /3 HTTP/1.1\r\n${lines}`, parser))).toContain("Host: a");
  });
});

describe("a request's id", () => {
  const requestIds = new RequestIds({ header: "X-Request-Id", response: true });
  const sent = (said: string, from: ForwardingFacts, parser?: RequestHeadParser) => {
    const head = headOf(`GET / HTTP/1.1\r\nHost: a\r\n${said}\r\n`, parser);
    const facts = { ...from, requestIds };
    identify(head, facts);
    return { head, lines: fields(head, facts).filter((line) => /request/i.test(line)) };
  };

  it("is ours, however a client writes one, and another for each request with the same lines", () => {
    const parser = new RequestHeadParser(defaultHttpLimits);
    const said = "X-REQUEST-ID: a\r\nx_request_id: b\r\nX_Request-Id: c\r\n";
    const [one, other] = [sent(said, untrusted, parser), sent(said, untrusted, parser)];
    expect([one.lines, other.lines]).toEqual([[`X-Request-Id: ${one.head.id}`], [`X-Request-Id: ${other.head.id}`]]);
    expect(one.head.id).not.toBe(other.head.id);
    expect(one.head.responseLines).toBe(`X-Request-Id: ${one.head.id}\r\n`);
  });

  it("is a trusted peer's, if it gives one", () => {
    expect(sent("x-request-id: of-edge\r\n", trusted).lines).toEqual(["X-Request-Id: of-edge"]);
    const [several] = sent("X-Request-Id: a\r\nX-Request-Id: b\r\n", trusted).lines;
    expect(several).toMatch(/^X-Request-Id: [\w-]{8}-\w+$/);
  });
});

describe("from a trusted peer", () => {
  it("X-Forwarded-For is continued and the others are kept", () => {
    const kept = ["X-Forwarded-Proto: https", "X-Forwarded-Host: b", "X-Forwarded-Port: 443", "X-Forwarded-Prefix: /p"];
    const head = get(`X-Forwarded-For: 1.1.1.1\r\n${kept.join("\r\n")}\r\nx-forwarded-for: 2.2.2.2\r\n`);
    const result = fields(head, trusted);
    expect(result).toEqual(["Host: a", ...kept, "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 192.0.2.1", "X-Real-IP: 2.2.2.2"]);
  });

  it("what it does not say is said by us", () => {
    expect(fields(get("X-Real-IP: 3.3.3.3\r\nX-Forwarded-For:\r\n"), trusted)).toEqual([
      "Host: a",
      "X-Real-IP: 3.3.3.3",
      ...ours.slice(0, 4),
    ]);
  });

  it("BAD-INPUTS 94: nominated fields are stripped first, ours added after", () => {
    const result = fields(get("X-Forwarded-For: 1.1.1.1\r\nConnection: X-Forwarded-For\r\n"), trusted);
    expect(result.filter((line) => line.startsWith("X-Forwarded-For"))).toEqual(["X-Forwarded-For: 192.0.2.1"]);
  });
});

describe("the client's address", () => {
  it.each([
    ["X-Forwarded-For: 1.1.1.1\r\n", untrusted, "192.0.2.1"],
    ["", trusted, "192.0.2.1"],
    ["X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\n", trusted, "2.2.2.2"],
    ["X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: ::FFFF:2.2.2.2\r\n", trusted, "2.2.2.2"],
    ["X-Forwarded-For: 1.1.1.1, unknown\r\n", trusted, "192.0.2.1"],
    ["X-Forwarded-For: ,\r\n", trusted, "192.0.2.1"],
  ])("with %j", (lines, facts, address) => {
    expect(clientAddressOf(get(lines), facts)).toBe(address);
  });

  it.each([
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::FFFF:1.2.3.4", "1.2.3.4"],
    ["::ffff:102:304", "1.2.3.4"],
    ["1.2.3.4", "1.2.3.4"],
    ["2001:DB8::1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["::ffff:1.2.3.400", "::ffff:1.2.3.400"],
    ["::1", "::1"],
  ])("BAD-INPUTS 85: %s is normalised to %s", (address, normal) => {
    expect(normaliseAddress(address)).toBe(normal);
  });

  it.each([
    ["1.2.3.4:5678", "1.2.3.4"],
    ["[2001:db8::1]:80", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["2001:db8::1", "2001:db8::1"],
    ["_hidden", undefined],
    ["1.2.3", undefined],
    ["010.2.3.4", undefined],
    ["1:2:3", undefined],
    ["::1::", undefined],
    ["1.2.3.4.5", undefined],
    ["a".repeat(65), undefined],
  ])("entry %s of X-Forwarded-For is %s", (entry, address) => {
    expect(addressOfEntry(entry)).toBe(address);
  });
});

describe("a client that came by a Unix socket", () => {
  const local: ForwardingFacts = { peerAddress: "", peerTrusted: true, encrypted: false, localPort: 0 };

  it("has no address and no port, and is not said to have any", () => {
    const head = get("");
    expect(fields(head, local)).toEqual(["Host: a", "X-Forwarded-Proto: http", "X-Forwarded-Host: a"]);
    expect(clientAddressOf(head, local)).toBe("");
  });

  it("is a proxy that names clients of its own", () => {
    const head = get("X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n");
    expect(fields(head, local)).toEqual([
      "Host: a",
      "X-Forwarded-Proto: https",
      "X-Forwarded-For: 192.0.2.7",
      "X-Forwarded-Host: a",
      "X-Real-IP: 192.0.2.7",
    ]);
    expect(clientAddressOf(head, local)).toBe("192.0.2.7");
  });
});

describe("a request's trace", () => {
  const id = "4bf92f3577b34da6a3ce929d0e0e4736";
  const said = `TraceParent: 00-${id}-00f067aa0ba902b7-01\r\nTracestate: a=1\r\ntracestate: b=2\r\n`;
  const traces = new TraceContexts({ sample: 1, parents: "trusted" });
  const sent = (from: ForwardingFacts, parser?: RequestHeadParser) => {
    const head = headOf(`GET / HTTP/1.1\r\nHost: a\r\n${said}\r\n`, parser);
    identify(head, from);
    return { head, lines: fields(head, from).filter((line) => /^trace/i.test(line)) };
  };

  it("passes as it came where nothing is traced", () => {
    expect(sent(untrusted).lines).toEqual(said.trimEnd().split("\r\n"));
  });

  it("goes on with a trusted peer's, under a span of ours for each attempt, and with its state", () => {
    const { head, lines } = sent({ ...trusted, traces });
    expect(lines).toEqual([head.traceLine.trimEnd(), "Tracestate: a=1", "tracestate: b=2"]);
    expect(head.traceLine).toBe(`traceparent: 00-${id}-${head.sampled!.spanId}-01\r\n`);
    const attempt = underSpan(upstreamRequestHead(head, { ...trusted, traces }), head, "1".repeat(16));
    expect(attempt).toContain(`\r\ntraceparent: 00-${id}-${"1".repeat(16)}-01\r\n`);
    expect(attempt).not.toContain(head.sampled!.spanId);
  });

  it("begins with those of others, each with the same lines, and drops the state of another trace", () => {
    const parser = new RequestHeadParser(defaultHttpLimits);
    const facts = { ...untrusted, traces };
    const all = [sent(facts, parser), sent(facts, parser)];
    for (const { head, lines } of all) expect(lines).toEqual([head.traceLine.trimEnd()]);
    const ids = all.map(({ head }) => head.sampled!.traceId);
    expect(new Set([...ids, id]).size).toBe(3);
  });
});
