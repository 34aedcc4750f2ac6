// Requests that a rate limit holds back, over memory and by a clock of the test's.

import { describe, expect, test } from "vitest";
import { memoryProxy } from "../../../test/support/memory-proxy.ts";
import { type RateLimitOptions, rateLimitSchema } from "../../options/rate-limit-options.ts";
import { parseOptions } from "../../options/validation.ts";
import { parsePathPattern } from "../../routing/path-pattern.ts";
import { RequestLimit } from "../request-limit.ts";
import { Router } from "./router.ts";

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

function limited(options: Partial<RateLimitOptions> = {}) {
  const rateLimit = parseOptions(rateLimitSchema, { points: 10, windowMs: 1_000, ...options }, "rateLimit");
  const proxy = memoryProxy({ rateLimit });
  const answered = () => proxy.client.take().match(/(?<=HTTP\/1\.1 )\d+/g) ?? [];
  return { ...proxy, answered };
}

test("what does not pass is answered, with what a client needs to know, and its connection goes on", () => {
  const { client, streams, clock } = limited({ burst: 0 });
  client.send(get);
  streams[0]!.answers(ok);
  client.take();
  client.send(get);
  const head = client.take();
  expect(head).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n/);
  expect(head).toContain("Retry-After: 1\r\n");
  expect(head).toContain('RateLimit-Policy: "default";q=10;w=1\r\n');
  expect(head).toContain('RateLimit: "default";r=0;t=1\r\n');
  expect(head).not.toContain("Connection: close");
  clock.advance(100);
  client.send(get);
  expect(streams).toHaveLength(2);
});

test("those that pass are told how many more may, if that is wanted", () => {
  const { client, streams, clock } = limited({ burst: 3, headers: true });
  const next = () => {
    client.send(get);
    streams.at(-1)!.answers(ok);
    return client.take();
  };
  expect(next()).toContain('RateLimit-Policy: "default";q=10;w=1\r\nRateLimit: "default";r=3;t=0\r\n');
  expect(next()).toContain('RateLimit: "default";r=2;t=1\r\n');
  expect([next(), next()][1]).toContain('RateLimit: "default";r=0;t=1\r\n');
  client.send(get);
  expect(client.take().match(/RateLimit: [^\r]*/g)).toEqual(['RateLimit: "default";r=0;t=1']);
  clock.advance(1_000);
  expect(next()).toContain('RateLimit: "default";r=3;t=0\r\n');
});

test("in a dry run all pass, and who would not have leaves no mark", () => {
  const { client, streams } = limited({ burst: 0, dryRun: true, delay: true });
  for (let request = 0; request < 5; request++) {
    client.send(get);
    streams[request]!.answers(ok);
  }
  expect(streams).toHaveLength(5);
});

describe("held back", () => {
  test("for as long as the rate has it, and those behind on its connection wait for it", () => {
    const { client, streams, clock, answered } = limited({ burst: 5, delay: true });
    client.send(get);
    streams[0]!.answers(ok);
    client.send(get + get);
    expect(streams).toHaveLength(1);
    clock.advance(99);
    expect(streams).toHaveLength(1);
    clock.advance(1);
    expect(streams).toHaveLength(2);
    streams[1]!.answers(ok);
    clock.advance(100);
    streams[2]!.answers(ok);
    expect(answered()).toEqual(["200", "200", "200"]);
  });

  test("beyond the first of a burst, where a number says so", () => {
    const { client, streams, clock } = limited({ burst: 5, delay: 2 });
    for (let request = 0; request < 3; request++) {
      client.send(get);
      streams[request]!.answers(ok);
    }
    client.send(get);
    expect(streams).toHaveLength(3);
    clock.advance(100);
    expect(streams).toHaveLength(4);
  });

  test("its body is passed on whole, whether it came before or comes after", () => {
    const { client, streams, clock } = limited({ burst: 5, delay: true });
    client.send(get);
    streams[0]!.answers(ok);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    clock.advance(100);
    client.send("def");
    expect(streams[1]!.sent).toMatch(/\r\n\r\nabcdef$/);
    streams[1]!.answers(ok);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    clock.advance(100);
    expect(streams[2]!.sent).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/);
  });

  test("what is answered in the end leaves what came behind it to the next request, once", () => {
    const { client, context, streams, clock } = limited({});
    const settings = parseOptions(rateLimitSchema, { points: 10, windowMs: 1_000, delay: true }, "rateLimit");
    const limit = new RequestLimit({ settings, clock, limited: () => {}, keyFailed: () => {} });
    const rule = { hosts: undefined, paths: [parsePathPattern("/gone")!], methods: undefined, headers: [] };
    const destination = () => ({ kind: "answer", reason: "respond", status: 410, fields: [], body: "" }) as const;
    const routes = [{ name: "gone", rule, limit, limitsItself: true, guards: [], destination }];
    const router = new Router({ routes, otherwise: context.way, limit: undefined, maxBodyBytes: 1_000 });
    Object.assign(context, { router });
    const gone = "GET /gone HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(gone);
    client.send(`${gone}POST /next HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\n\r\nabc`);
    expect(streams).toHaveLength(0);
    clock.advance(100);
    expect(client.take().match(/410/g)?.length).toBeGreaterThanOrEqual(2);
    expect(streams).toHaveLength(1);
    expect(streams[0]!.sent.match(/abc|POST/g)).toEqual(["POST", "abc"]);
  });

  test("a client that leaves takes its request along", () => {
    for (const leaves of ["end", "close"] as const) {
      const { client, streams, clock, closed } = limited({ burst: 5, delay: true });
      client.send(get);
      streams[0]!.answers(ok);
      client.send(get);
      if (leaves === "end") client.emit("end");
      else client.destroy();
      clock.advance(1_000);
      expect(streams).toHaveLength(1);
      expect(closed).toHaveLength(1);
    }
  });

  test("an upgrade behind which bytes came already is refused", () => {
    const { client, streams, clock, answered } = limited({ burst: 5, delay: true });
    client.send(get);
    streams[0]!.answers(ok);
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    client.send(`GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`);
    client.send("x");
    clock.advance(100);
    expect(answered()).toEqual(["200", "400"]);
  });

  test("a client that floods while it waits is not read from beyond a bound, and is afterwards", () => {
    const { client, streams, clock } = limited({ burst: 5, delay: true });
    client.send(get);
    streams[0]!.answers(ok);
    client.send(`${get}${get}`);
    client.send(`GET /${"x".repeat(8_000)} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(3));
    expect(client.paused).toBe(true);
    clock.advance(100);
    expect(streams).toHaveLength(2);
    streams[1]!.answers(ok);
    clock.advance(100);
    expect(streams).toHaveLength(3);
  });
});
