import { describe, expect, it } from "vitest";
import { defaultHttpLimits } from "../../test/support/default-settings.ts";
import { type DownstreamOptions, downstreamResponseHead, endsByClosing, passesVerbatim } from "./downstream.ts";
import { type ResponseHead, ResponseHeadParser } from "./response-head.ts";

const kept: DownstreamOptions = { clientMinorVersion: 1, keepAlive: true, extra: "" };
const older: DownstreamOptions = { ...kept, clientMinorVersion: 0 };
const closing: DownstreamOptions = { ...kept, keepAlive: false };

function headOf(text: string, method = "GET"): ResponseHead {
  const bytes = Buffer.from(text, "latin1");
  return new ResponseHeadParser(defaultHttpLimits).parse(bytes, 0, bytes.length, method) as ResponseHead;
}

function ok(lines: string, version = "1.1"): ResponseHead {
  return headOf(`HTTP/${version} 200 OK\r\n${lines}\r\n`);
}

describe("the head for the client", () => {
  it("loses what ends here, and keeps the rest byte for byte", () => {
    const head = ok(
      "A:  b \r\nConnection: keep-alive, x-c\r\nKeep-Alive: timeout=5\r\nX-C: d\r\nTE: x\r\nUpgrade: h2c\r\n" +
        "Proxy-Authenticate: Basic\r\nTrailer: x\r\nContent-Length: 5\r\nSet-Cookie: e=f\r\nset-cookie: g=h\r\n",
    );
    expect(downstreamResponseHead(head, kept)).toBe(
      "HTTP/1.1 200 OK\r\nA:  b \r\nContent-Length: 5\r\nSet-Cookie: e=f\r\nset-cookie: g=h\r\n\r\n",
    );
  });

  it("gets our own lines, and Connection only where it is needed", () => {
    const head = ok("Content-Length: 5\r\n");
    const text = (options: DownstreamOptions) => downstreamResponseHead(head, options);
    expect(text({ ...kept, extra: "X-A: b\r\nX-C: d\r\n" })).toBe(
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\nX-C: d\r\n\r\n",
    );
    expect(text(kept)).toBe("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    expect(text(closing)).toBe("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
    expect(text(older)).toBe("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n");
    expect(text({ ...older, keepAlive: false })).toBe(text(closing));
  });

  it("closes where the end of the body cannot be seen otherwise", () => {
    const chunked = ok("Transfer-Encoding: chunked\r\nTrailer: X-A\r\n");
    expect(downstreamResponseHead(chunked, kept)).toBe(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n",
    );
    expect(downstreamResponseHead(chunked, older)).toBe("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    expect([endsByClosing(chunked, 1), endsByClosing(chunked, 0)]).toEqual([false, true]);
    const unframed = ok("", "1.0");
    expect(downstreamResponseHead(unframed, kept)).toBe("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    expect(endsByClosing(unframed, 1)).toBe(true);
  });

  it("writes framing as we would, and only where the status allows it", () => {
    expect(downstreamResponseHead(ok("content-length:005\r\n"), kept)).toContain("\r\nContent-Length: 5\r\n");
    expect(downstreamResponseHead(ok("transfer-encoding: Chunked\r\n"), kept)).toContain(
      "\r\nTransfer-Encoding: chunked\r\n",
    );
    expect(downstreamResponseHead(headOf("HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n"), kept)).toBe(
      "HTTP/1.1 204 x\r\n\r\n",
    );
    const notModified = "HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n";
    expect(downstreamResponseHead(headOf(notModified), kept)).toBe(notModified);
    const toHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect(downstreamResponseHead(headOf(toHead, "HEAD"), kept)).toBe(toHead);
    expect(downstreamResponseHead(headOf(toHead, "HEAD"), older)).toBe(
      "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n",
    );
  });

  it("passes an upgrade on, and the request for one", () => {
    const switched = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: a\r\nConnection: Upgrade\r\n\r\n";
    expect(downstreamResponseHead(headOf(switched), closing)).toBe(switched);
    const required = "HTTP/1.1 426 x\r\nUpgrade: websocket\r\nContent-Length: 0\r\nConnection: Upgrade\r\n\r\n";
    expect(downstreamResponseHead(headOf(required), kept)).toBe(required);
    expect(downstreamResponseHead(headOf(required), closing)).toContain("\r\nConnection: Upgrade, close\r\n");
  });

  it("leaves interim responses alone", () => {
    const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    expect(downstreamResponseHead(headOf(hints), closing)).toBe(hints);
  });

  it("is HTTP/1.1 whatever the endpoint speaks", () => {
    expect(downstreamResponseHead(ok("Content-Length: 1\r\n", "1.0"), kept).startsWith("HTTP/1.1 200 OK\r\n")).toBe(
      true,
    );
  });
});

describe("passing a head on verbatim", () => {
  const plain = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nDate: x\r\n\r\n";

  it("is right exactly if the rewritten head has the same bytes", () => {
    const texts = [
      plain,
      plain.replace(" OK", ""),
      plain.replace(" OK", " "),
      plain.replace("HTTP/1.1", "HTTP/1.0"),
      plain.replace("Date", "Connection"),
      plain.replace("Date", "Keep-Alive"),
      plain.replace(" 5", " 05"),
      plain.replace("Content-Length: 5", "Transfer-Encoding: chunked"),
      plain.replace("Content-Length: 5", "A: b"),
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n",
      "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
      "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ];
    const verdicts = texts.map((text) =>
      [kept, closing, older, { ...kept, extra: "X-A: b\r\n" }].map((options) => {
        const verbatim = passesVerbatim(headOf(text), options);
        if (verbatim) expect(downstreamResponseHead(headOf(text), options)).toBe(text);
        return verbatim;
      }),
    );
    expect(verdicts[0]).toEqual([true, false, false, false]);
    expect(verdicts.map(([forKept]) => forKept)).toEqual([
      true,
      false,
      true,
      false,
      false,
      false,
      false,
      true,
      false,
      false,
      true,
      true,
      false,
    ]);
  });
});
