// Requests of one route that wait until others have ended, over memory and by a clock of the test's.
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { MemoryClient, memoryContext, memoryFacts } from "../../../test/support/memory-proxy.ts";
import type { AdaptiveLimitSettings } from "../../rates/adaptive-limit.ts";
import { ClientConnection } from "./client-connection.ts";
import { InFlightLimit } from "./in-flight-limit.ts";

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

interface StartOptions {
  readonly maxInFlight?: number | AdaptiveLimitSettings;
  readonly maxWaiting?: number;
}

function start({ maxInFlight = 2, maxWaiting = 2 }: StartOptions = {}) {
  const refused: string[] = [];
  const queue = { maxWaiting, maxWaitMs: 1_000 };
  const around = memoryContext({
    endpoints: 1,
    inFlight: (clock) => new InFlightLimit({ maxInFlight, queue, clock, refused: (reason) => refused.push(reason) }),
  });
  const open = () => {
    const client = new MemoryClient();
    new ClientConnection(client as unknown as Socket, memoryFacts, around.context);
    return client;
  };
  const status = (client: MemoryClient) => /^HTTP\/1\.1 (\d+)/.exec(client.written)?.[1];
  return { ...around, refused, open, status };
}

test("more than may be wait in the order in which they came, a full queue refuses", () => {
  const { open, streams, status, refused } = start();
  const clients = Array.from({ length: 5 }, () => open().send(get));
  expect(streams).toHaveLength(2);
  expect(status(clients[4]!)).toBe("503");
  expect(clients[4]!.written).toContain("Retry-After: 1\r\n");
  expect(refused).toEqual(["queue-full"]);
  for (let stream = 0; stream < 4; stream++) streams[stream]!.answers(ok);
  expect(clients.map(status)).toEqual(["200", "200", "200", "200", "503"]);
});

test("who has waited for its time is refused, and its place is nobody's", () => {
  const { open, streams, clock, status, refused } = start({ maxInFlight: 1 });
  open().send(get);
  const late = open().send(get);
  clock.advance(1_000);
  expect([status(late), refused]).toEqual(["503", ["wait-timeout"]]);
  streams[0]!.answers(ok);
  open().send(get);
  expect(streams).toHaveLength(2);
});

test("whoever leaves gives way: in flight, waiting, or with its body half sent", () => {
  const { open, streams } = start({ maxInFlight: 1 });
  const first = open().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
  const second = open().send(get);
  open().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdef");
  second.emit("end");
  expect(streams).toHaveLength(1);
  first.destroy();
  expect(streams).toHaveLength(2);
  expect(streams[1]!.sent).toMatch(/abcdef$/);
});

test("pipelined requests of one client count one by one", () => {
  const { open, streams, status } = start({ maxInFlight: 1 });
  const client = open().send(get + get + get);
  for (let stream = 0; stream < 3; stream++) streams[stream]!.answers(ok);
  expect(client.written.match(/200 OK/g)).toHaveLength(3);
  expect(status(client)).toBe("200");
});

test("an upgrade counts until it is one", () => {
  const { open, streams } = start({ maxInFlight: 1 });
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  open().send(`GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`);
  open().send(get);
  expect(streams).toHaveLength(1);
  const accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
  streams[0]!.answers(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${accept}\r\n`);
  expect(streams).toHaveLength(2);
});

test("responses that are cut, time out or fail end a request as well", () => {
  const { open, streams, clock, context } = start({ maxInFlight: 1 });
  open().send(get);
  open().send(get);
  open().send(get);
  streams[0]!.answers("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").endsBytes();
  expect(streams).toHaveLength(2);
  streams[1]!.answers("no response\r\n\r\n");
  expect(streams).toHaveLength(3);
  expect(context.settings.timeouts.responseMs).toBeGreaterThan(0);
  clock.advance(1);
});

test("a thousand that are refused as they enter do not go deeper one in another", () => {
  const { open, balancer, streams } = start({ maxInFlight: 1, maxWaiting: 5_000 });
  open().send(get);
  const clients = Array.from({ length: 5_000 }, () => open().send(get));
  // From now on everybody who enters is answered at once.
  balancer.close();
  streams[0]!.answers(ok);
  expect(clients.every((client) => client.written.startsWith("HTTP/1.1 503"))).toBe(true);
});

const one: AdaptiveLimitSettings = { min: 1, max: 1, initial: 1, tolerance: 1.5 };

test("by latency: who has the beginning of its answer keeps nobody out, however long the rest takes", () => {
  const { open, streams, status, refused } = start({ maxInFlight: one });
  const events = open().send(get);
  const next = open().send(get);
  expect([streams.length, refused]).toEqual([1, []]);
  open().send(get);
  expect(refused).toEqual(["overload"]);
  streams[0]!.answers("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\n");
  expect(streams).toHaveLength(2);
  // That its end comes is nothing to the limit.
  open().send(get);
  events.destroy();
  expect(streams).toHaveLength(2);
  streams[1]!.answers(ok);
  expect([status(next), streams.length]).toEqual(["200", 3]);
});

test("by latency: an upload keeps others out for a second, and is timed from its end", () => {
  const { open, streams, clock } = start({ maxInFlight: one });
  const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n";
  const upload = open().send(`${post}abc`);
  open().send(get);
  clock.advance(999);
  expect(streams).toHaveLength(1);
  clock.advance(1);
  expect(streams).toHaveLength(2);
  upload.send("def");
  open().send(get);
  streams[1]!.answers(ok);
  // The upload is with the endpoint now.
  expect(streams).toHaveLength(2);
  streams[0]!.answers(ok);
  expect(streams).toHaveLength(3);
  // One whose client leaves before that gives way as well.
  const another = open().send(`${post}abc`);
  streams[2]!.answers(ok);
  open().send(get);
  expect(streams).toHaveLength(4);
  another.destroy();
  expect(streams).toHaveLength(5);
});

test("by latency: bodies that come with their heads count as they come", () => {
  const { open, streams } = start({ maxInFlight: { ...one, max: 4, initial: 4 }, maxWaiting: 10 });
  for (let client = 0; client < 8; client++) {
    open().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdef");
  }
  expect(streams).toHaveLength(4);
  streams[0]!.answers(ok);
  expect(streams).toHaveLength(5);
  streams[1]!.endsBytes();
  expect(streams.length).toBeLessThanOrEqual(6);
});

test("another limit counts those in flight, and lets in who waits", () => {
  const entered: number[] = [];
  const limit = new InFlightLimit({
    maxInFlight: 1,
    queue: { maxWaiting: 9, maxWaitMs: 1_000 },
    clock: new ManualClock(),
    refused: () => {},
  });
  const first = limit.take()!;
  for (const number of [1, 2, 3]) limit.wait({ enter: () => entered.push(number), refuse: () => {} });
  limit.use({ maxInFlight: 3, queue: { maxWaiting: 9, maxWaitMs: 1_000 } });
  expect(entered).toEqual([1, 2]);
  expect(limit.status).toMatchObject({ limit: 3, inFlight: 3, waiting: 1 });
  limit.use({ maxInFlight: 1, queue: { maxWaiting: 9, maxWaitMs: 1_000 } });
  first.over();
  expect(limit.take()).toBeUndefined();
});
