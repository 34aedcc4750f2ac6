import { describe, expect, test } from "vitest";
import { memoryProxy } from "../../../test/support/memory-proxy.ts";

const get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
const post = (body: string, length = body.length) =>
  `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n${body}`;
const dated = "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n";
const ok = (body: string, length = body.length) =>
  `HTTP/1.1 200 OK\r\n${dated}Content-Length: ${length}\r\n\r\n${body}`;

describe("an exchange", () => {
  test("passes a response that needs no change byte for byte, in one write, and keeps both sides", () => {
    const { client, streams, inFlight, statusOf } = memoryProxy();
    client.send(get);
    expect(inFlight()).toBe(1);
    expect(streams[0]!.sent).toMatch(/^GET \/a HTTP\/1\.1\r\nHost: x\r\n/);
    streams[0]!.answers(ok("hello"));
    expect([client.take(), client.writes, client.ending]).toEqual([ok("hello"), 1, "open"]);
    expect([streams[0]!.state, inFlight(), statusOf(0).requests]).toEqual(["released", 0, 1]);
    client.send(get);
    streams[1]!.answers(ok("again"));
    expect(client.take()).toBe(ok("again"));
  });

  test("writes a changed head and a small body in one write, and a large body without copying it", () => {
    const { client, streams } = memoryProxy();
    const hop = (body: string) =>
      `HTTP/1.1 200 OK\r\n${dated}X-Hop: 1\r\nConnection: X-Hop\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    for (const body of ["small", "x".repeat(40_000)]) {
      const { writes } = client;
      client.send(get);
      streams.at(-1)!.answers(hop(body));
      expect([client.take(), client.writes - writes]).toEqual([ok(body), 1]);
    }
  });

  test("BAD-INPUTS: gives a client of HTTP/1.0 the payload of a chunked response, and no 1xx", () => {
    const { client, streams } = memoryProxy();
    client.send("GET /a HTTP/1.0\r\nHost: x\r\n\r\n");
    streams[0]!.answers("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    expect(client.written).toBe("");
    streams[0]!.answers(
      `HTTP/1.1 200 OK\r\n${dated}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`,
    );
    expect(client.written).toBe(`HTTP/1.1 200 OK\r\n${dated}Connection: close\r\n\r\nabcde`);
    // All was said and the client asked for no more.
    expect(client.ending).toBe("destroyed");
  });

  test("relays a head that comes in pieces, and a 1xx before it", () => {
    const { client, streams } = memoryProxy();
    client.send(get);
    const whole = `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok("hi")}`;
    for (const byte of whole) streams[0]!.answers(byte);
    expect(client.written).toBe(whole);
  });

  test.each([
    ["a GET that did not reach its endpoint", get, { reason: "connect", sent: false } as const],
    ["a GET whose endpoint broke off", get, { reason: "reset", sent: true } as const],
    ["a POST that did not reach its endpoint", post("abc"), { reason: "connect", sent: false } as const],
  ])("tries %s elsewhere, whole", (_what, request, failure) => {
    const { client, streams, statusOf } = memoryProxy();
    client.send(request);
    streams[0]!.fails(failure);
    expect(streams).toHaveLength(2);
    expect([streams[0]!.state, streams[1]!.sent]).toEqual(["destroyed", streams[0]!.sent]);
    streams[1]!.answers(ok("fine"));
    expect(client.written).toBe(ok("fine"));
    expect([statusOf(0).failures, statusOf(1).failures]).toEqual([1, 0]);
  });

  test("does not try a POST elsewhere that may have been acted on", () => {
    const { client, streams, inFlight } = memoryProxy();
    client.send(post("abc"));
    streams[0]!.fails({ reason: "reset", sent: true });
    expect([streams.length, inFlight()]).toEqual([1, 0]);
    expect([client.written.slice(0, 13), client.ending]).toEqual(["HTTP/1.1 502 ", "ended"]);
  });

  test("cuts the client off where a response broke off: it must not look complete", () => {
    const { client, streams, inFlight } = memoryProxy();
    client.send(get);
    streams[0]!.answers(ok("half", 8));
    streams[0]!.fails({ reason: "reset", sent: true });
    expect([client.written, client.ending, inFlight()]).toEqual([ok("half", 8), "reset", 0]);
  });

  describe("the beginning of a small response that may be asked for again", () => {
    const begin = (request = get, text = ok("half", 8)) => {
      const proxy = memoryProxy();
      proxy.client.send(request);
      proxy.streams[0]!.answers(text);
      return proxy;
    };
    const down = { reason: "reset", sent: true, endpointDown: true } as const;

    test("waits for its rest, and leaves with it in one write", () => {
      const { client, streams, inFlight } = begin();
      expect([client.written, inFlight()]).toEqual(["", 1]);
      for (const byte of "rest") streams[0]!.answers(byte);
      expect([client.take(), client.writes, client.ending]).toEqual([ok("halfrest"), 1, "open"]);
      expect([streams[0]!.state, inFlight()]).toEqual(["released", 0]);
      client.send(get);
      streams[1]!.answers(ok("again"));
      expect(client.take()).toBe(ok("again"));
    });

    test("FAULTS 2: is dropped if its endpoint dies, and another one answers", () => {
      const { client, streams, statusOf, inFlight } = begin();
      streams[0]!.fails(down);
      streams[1]!.answers(ok("whole"));
      expect([client.written, statusOf(0).failures, inFlight()]).toEqual([ok("whole"), 1, 0]);
    });

    test("FAULTS 4: is let go soon, and cut if the endpoint dies after that", () => {
      const { client, streams, clock } = begin();
      clock.advance(110);
      expect(client.written).toBe(ok("half", 8));
      streams[0]!.answers("re");
      expect(client.written).toBe(ok("halfre", 8));
      streams[0]!.fails(down);
      expect([streams.length, client.ending]).toEqual([1, "reset"]);
    });

    test("FAULTS 26: is let go and cut if its endpoint lives and breaks off", () => {
      for (const end of ["fails", "endsBytes"] as const) {
        const { client, streams } = begin();
        if (end === "fails") streams[0]!.fails({ reason: "reset", sent: true });
        else streams[0]!.endsBytes();
        expect([client.written, client.ending, streams.length]).toEqual([ok("half", 8), "reset", 1]);
      }
    });

    test.each([
      ["to a POST", post("abc"), ok("half", 8)],
      ["that is long", get, ok("half", 20_000)],
      ["whose end is not known", get, `HTTP/1.1 200 OK\r\n${dated}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`],
    ])("does not wait %s", (_what, request, text) => {
      const { client, streams } = begin(request, text);
      expect(client.written).toBe(text);
      streams[0]!.fails(down);
      expect([client.ending, streams.length]).toEqual(["reset", 1]);
    });
  });

  test("gives everything up when the client leaves", () => {
    const { client, streams, inFlight, statusOf, closed } = memoryProxy();
    client.send(get);
    client.destroy();
    expect([streams[0]!.state, inFlight(), statusOf(0).failures, closed]).toEqual(["destroyed", 0, 0, [false]]);
  });

  test("slows the endpoint while the client does not read, and the client while the endpoint does not", () => {
    const { client, streams } = memoryProxy();
    client.send(post("abc", 6));
    streams[0]!.full = true;
    client.send("d");
    expect(client.paused).toBe(true);
    streams[0]!.takesMore();
    expect(client.paused).toBe(false);
    client.send("ef");
    client.full = true;
    streams[0]!.answers(ok("half", 8));
    expect(streams[0]!.paused).toBe(true);
    client.drain();
    expect(streams[0]!.paused).toBe(false);
  });

  test("answers 504 in time if the endpoint does not, and the endpoint is given up", () => {
    const { client, streams, clock } = memoryProxy();
    client.send(get);
    clock.advance(59_000);
    expect(client.written).toBe("");
    clock.advance(2_000);
    expect([client.written.slice(0, 13), streams[0]!.state]).toEqual(["HTTP/1.1 504 ", "destroyed"]);
  });

  test("takes the rest of an upload that was answered early, and keeps the connection", () => {
    const { client, streams, inFlight } = memoryProxy();
    client.send(post("abc", 6));
    streams[0]!.answers(ok("no"));
    expect([client.take(), inFlight()]).toEqual([ok("no"), 1]);
    client.send(`def${get}`);
    expect([inFlight(), streams.length]).toEqual([1, 2]);
    streams[1]!.answers(ok("yes"));
    expect(client.take()).toBe(ok("yes"));
  });

  test("becomes a tunnel by the 101 that was asked for: bytes pass unread both ways until both sides end", () => {
    const { client, streams, inFlight, closed } = memoryProxy();
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    const switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n";
    streams[0]!.answers(`${switched}first`);
    expect(client.take()).toMatch(/^HTTP\/1\.1 101 .*\r\n\r\nfirst$/s);
    const before = streams[0]!.sent.length;
    client.send("up\0");
    streams[0]!.answers("down\0");
    expect([streams[0]!.sent.slice(before), client.take(), inFlight()]).toEqual(["up\0", "down\0", 1]);
    client.emit("end");
    streams[0]!.endsBytes();
    expect([streams[0]!.ended, client.ending]).toEqual([true, "ended"]);
    client.destroy();
    expect([inFlight(), closed]).toEqual([0, [true]]);
  });

  test("a WebSocket is over for its app when the app has ended it, whatever the client still says", () => {
    const { client, streams, inFlight } = memoryProxy();
    const fields = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    client.send(`GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n${fields}\r\n\r\n`);
    const accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    streams[0]!.answers(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${accept}\r\n\r\n`,
    );
    const before = streams[0]!.sent.length;
    client.send("up");
    streams[0]!.endsBytes();
    client.send("too late");
    expect([streams[0]!.sent.slice(before), streams[0]!.ended, client.ending]).toEqual(["up", true, "ended"]);
    client.emit("end");
    client.destroy();
    expect(inFlight()).toBe(0);
  });

  test.each([
    ["has nothing to read", false],
    ["has not read all of it", true],
  ])("a tunnel whose app has ended does not wait for a client that %s and is silent", (_, full) => {
    const { client, streams, clock, inFlight } = memoryProxy();
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    streams[0]!.answers("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
    clock.advance(60_000);
    client.full = full;
    streams[0]!.answers("bye").endsBytes();
    clock.advance(4_900);
    client.send("not yet gone");
    clock.advance(4_900);
    expect([inFlight(), client.ending]).toEqual([1, "ended"]);
    clock.advance(60_000);
    if (full) {
      expect(inFlight()).toBe(1);
      client.drain();
      clock.advance(5_100);
    }
    expect([inFlight(), client.ending, streams[0]!.state]).toEqual([0, "destroyed", "destroyed"]);
  });

  test("gives the last answer of a connection while the front drains", () => {
    const { client, streams, context } = memoryProxy();
    client.send(get);
    context.draining = true;
    streams[0]!.answers(ok("bye"));
    expect(client.written).toContain("Connection: close\r\n");
    expect(client.ending).toBe("ended");
  });
});
