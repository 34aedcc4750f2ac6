// BAD-INPUTS.md, the rows that need time or numbers: 73–76, 78–81, 85.
import { expect, onTestFinished, test } from "vitest";
import { edge } from "./support/edge.ts";
import { frontOver } from "./support/front-over.ts";
import { answering, ok } from "./support/raw-backend.ts";
import { exchange, RawClient } from "./support/raw-client.ts";
import { testListeners } from "./support/test-listeners.ts";

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

test("BAD-INPUTS 73: slow headers → 408, however steadily they trickle in", async () => {
  const { port, backend } = await frontOver(answering(ok("never")), { timeouts: { headersMs: 300 } });
  const raw = await RawClient.ofTest(port);
  raw.send("GET / HTTP/1.1\r\n");
  const trickle = setInterval(() => raw.socket.write("X-A: b\r\n"), 20);
  onTestFinished(() => clearInterval(trickle));
  expect((await raw.response()).status).toBe(408);
  await raw.closed;
  expect(backend.heads).toHaveLength(0);
});

// A relay in this event loop would be held up, too.
test.runIf(edge === "plain")(
  "BAD-INPUTS 73, 76: what came while the front was held up is read before a deadline is judged",
  async () => {
    const { port } = await frontOver(answering(ok("in time")), { timeouts: { headersMs: 100, keepAliveMs: 200 } });
    const [idle, begun] = [await RawClient.ofTest(port), await RawClient.ofTest(port)];
    for (const raw of [idle, begun]) await raw.send(get).response();
    // The request of another connection passes: what was sent before has been read.
    begun.send("GET / HTTP/1.1\r\n");
    await exchange(port, get);
    idle.send(get);
    begun.send("Host: x\r\n\r\n");
    // Client and front share this event loop, which is now held up for longer than both deadlines.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    for (const raw of [idle, begun]) expect(await raw.response()).toMatchObject({ status: 200 });
  },
);

test("BAD-INPUTS 74: a request body that makes no progress → 408", async () => {
  const { port } = await frontOver(async (connection) => void (await connection.head()), {
    timeouts: { bodyIdleMs: 300 },
  });
  const raw = await RawClient.ofTest(port);
  raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  expect((await raw.response()).status).toBe(408);
  await raw.closed;
});

test("BAD-INPUTS 75: a client that does not read its response is closed", async () => {
  let backendClosed = false;
  const { port } = await frontOver(
    async (connection) => {
      void connection.closed.then(() => {
        backendClosed = true;
      });
      await connection.head();
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
      connection.send(Buffer.alloc(100_000_000));
    },
    { timeouts: { writeIdleMs: 300 } },
  );
  const raw = await RawClient.ofTest(port);
  raw.socket.pause();
  raw.send(get);
  await expect.poll(() => backendClosed, { timeout: 10_000 }).toBe(true);
});

test("BAD-INPUTS 76: a client that connects and says nothing is closed", async () => {
  const { port, front } = await frontOver(answering(ok("never")), { timeouts: { keepAliveMs: 200 } });
  const raw = await RawClient.ofTest(port);
  await raw.closed;
  expect(raw.pending).toHaveLength(0);
  await expect.poll(() => front.connections).toBe(0);
});

test("BAD-INPUTS 78: connections over the limit → 503, and there is room again when one leaves", async () => {
  const { port, front } = await frontOver(answering(ok("fine")), { limits: { maxConnections: 2 } });
  const first = await RawClient.ofTest(port);
  const second = await RawClient.ofTest(port);
  for (const raw of [first, second]) expect((await raw.send(get).response()).status).toBe(200);
  const third = await RawClient.ofTest(port);
  const refused = await third.response();
  expect(refused.status).toBe(503);
  expect(refused.headers["retry-after"]).toBeDefined();
  await third.closed;
  first.destroy();
  await expect.poll(() => front.connections).toBe(1);
  expect((await exchange(port, get)).status).toBe(200);
});

test("BAD-INPUTS 79: a flood from one address → 429, others are served", async () => {
  const { port, front } = await frontOver(answering(ok("fine")), { limits: { maxConnectionsPerAddress: 2 } });
  const held = [
    await RawClient.ofTest(port, { localAddress: "127.0.0.2" }),
    await RawClient.ofTest(port, { localAddress: "127.0.0.2" }),
  ];
  for (const raw of held) expect((await raw.send(get).response()).status).toBe(200);
  expect((await (await RawClient.ofTest(port, { localAddress: "127.0.0.2" })).response()).status).toBe(429);
  expect((await (await RawClient.ofTest(port, { localAddress: "127.0.0.3" })).send(get).response()).status).toBe(200);
  held[0]!.destroy();
  await expect.poll(() => front.connections).toBe(2);
  expect((await (await RawClient.ofTest(port, { localAddress: "127.0.0.2" })).send(get).response()).status).toBe(200);
});

test("BAD-INPUTS 80: a Content-Length over the limit → 413 before any byte of the body", async () => {
  const { port, backend } = await frontOver(answering(ok("never")), { limits: { maxBodyBytes: 1_000 } });
  expect((await exchange(port, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")).status).toBe(413);
  expect(backend.heads).toHaveLength(0);
});

test("BAD-INPUTS 81: a chunked body over the limit → 413 in mid-stream, and the endpoint sees it broken off", async () => {
  let seen = (): string => "";
  let brokenOff = false;
  const { port } = await frontOver(
    async (connection) => {
      await connection.head();
      seen = () => connection.rest().toString();
      await connection.closed;
      brokenOff = true;
    },
    { limits: { maxBodyBytes: 1_000 } },
  );
  const raw = await RawClient.ofTest(port);
  raw.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const chunk = `64\r\n${"x".repeat(100)}\r\n`;
  raw.send(chunk);
  await expect.poll(() => seen()).toContain(chunk);
  for (let n = 0; n < 10; n++) raw.send(chunk);
  expect((await raw.response()).status).toBe(413);
  await expect.poll(() => brokenOff).toBe(true);
  expect(seen()).not.toContain("\r\n0\r\n\r\n");
});

test("BAD-INPUTS 85: an IPv4-mapped address is the IPv4 address, in headers and in counting", async () => {
  const { port, backend } = await frontOver(answering(ok("fine")), {
    settings: { listeners: testListeners({ host: "::" }) },
    limits: { maxConnectionsPerAddress: 1 },
  });
  const first = await RawClient.ofTest(port);
  expect((await first.send(get).response()).status).toBe(200);
  expect(backend.heads[0]).toContain("X-Forwarded-For: 127.0.0.1\r\n");
  expect((await (await RawClient.ofTest(port)).response()).status).toBe(429);
});
