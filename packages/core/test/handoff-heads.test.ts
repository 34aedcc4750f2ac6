// Heads that are not handed off: the same limits, deadlines and answers as in the relay.
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { RequestHead, RequestHeadParser } from "../src/http/request-head.ts";
import { type BadInput, badInputs, isRelayed } from "./support/bad-inputs.ts";
import { defaultHttpLimits } from "./support/default-settings.ts";
import { HandoffFront, type HandoffFrontOptions } from "./support/handoff-front.ts";
import { RawClient } from "./support/raw-client.ts";

async function start(options: Partial<HandoffFrontOptions> = {}) {
  const front = new HandoffFront({ workers: 1, ...options });
  onTestFinished(() => front.close());
  const port = await front.start();
  return { front, port };
}

function requestsOf({ balancer }: HandoffFront): number {
  return balancer.status().endpoints.reduce((sum, { requests }) => sum + requests, 0);
}

async function connect(port: number): Promise<RawClient> {
  const client = await RawClient.ofTest(port);
  return client;
}

/** The front looks no further than the head; what is wrong with a body is the worker's to find. */
function isDecidedByHead({ bytes, limits }: BadInput): boolean {
  const parser = new RequestHeadParser({ ...defaultHttpLimits, ...limits });
  const buffer = Buffer.from(bytes, "latin1");
  const head = parser.parse(buffer, 0, buffer.length);
  return !(head instanceof RequestHead) || head.upgrade !== undefined;
}

let shared: HandoffFront;
let sharedPort: number;
beforeAll(async () => {
  shared = new HandoffFront({ workers: 1 });
  sharedPort = await shared.start();
});
afterAll(() => shared.close());

test.for(badInputs.filter((row) => !isRelayed(row.expect) && isDecidedByHead(row)))(
  "BAD-INPUTS $row: $name",
  async ({ bytes, expect: expected, limits }) => {
    const { front, port } =
      limits === undefined ? { front: shared, port: sharedPort } : await start({ workers: 0, limits });
    const client = await connect(port);
    const response = await client.send(bytes).response();
    expect(expected).toContain(response.status);
    expect(response.headers["connection"]?.toLowerCase()).toContain("close");
    await client.closed;
    expect(requestsOf(front)).toBe(0);
  },
);

test("there are such rows", () => {
  expect(badInputs.filter((row) => !isRelayed(row.expect) && isDecidedByHead(row)).length).toBeGreaterThan(50);
});

test("BAD-INPUTS 71: a foreign Origin may not open a WebSocket", async () => {
  const { front, port } = await start({ settings: { allowedOrigins: new Set(["https://app.example"]) } });
  const client = await connect(port);
  client.send(
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://evil.example\r\n\r\n",
  );
  expect((await client.response()).status).toBe(403);
  expect(requestsOf(front)).toBe(0);
});

test("BAD-INPUTS 73: a head that is not complete in time is answered 408", async () => {
  const { front, port } = await start({ timeouts: { headersMs: 200, lingerMs: 50 } });
  const client = await connect(port);
  client.send("GET / HTTP/1.1\r\nHo");
  expect((await client.response()).status).toBe(408);
  await client.closed;
  await expect.poll(() => front.connections.size).toBe(0);
});

test("BAD-INPUTS 76: who connects and says nothing is closed", async () => {
  const { front, port } = await start({ timeouts: { keepAliveMs: 200 } });
  const client = await connect(port);
  await client.closed;
  expect(client.pending).toHaveLength(0);
  await expect.poll(() => front.connections.size).toBe(0);
});

test("a client that half-closes before its head is complete is let go", async () => {
  const { front, port } = await start();
  const client = await connect(port);
  client.send("GET / HTTP/1.1\r\n").socket.end();
  await client.closed;
  await expect.poll(() => front.connections.size).toBe(0);
});

test("a refused client that goes on sending is cut off after a while, and gets its answer before", async () => {
  const { front, port } = await start({ timeouts: { lingerMs: 60_000 } });
  const client = await connect(port);
  client.send("GET\r\n\r\n");
  const sending = setInterval(() => client.send(Buffer.alloc(100_000)), 5);
  onTestFinished(() => clearInterval(sending));
  expect((await client.response()).status).toBe(400);
  await expect.poll(() => front.connections.size).toBe(0);
});

test("without any worker a request waits, and is refused with the time to come back", async () => {
  const { port } = await start({ workers: 0, maxWaitMs: 100 });
  const client = await connect(port);
  const response = await client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").response("HEAD");
  expect(response.status).toBe(503);
  expect(response.headers["retry-after"]).toBe("1");
  await client.closed;
  expect(client.pending).toHaveLength(0);
});

test("a front that drains closes connections without a request and serves the others", async () => {
  const { front, port } = await start();
  const idle = await connect(port);
  const partial = (await connect(port)).send("GET /who HTTP/1.1\r\n");
  await expect.poll(() => front.connections.size).toBe(2);
  // When this is answered, what was sent before it has been read.
  await (await connect(port)).send("GET /who HTTP/1.1\r\nHost: a\r\n\r\n").response();
  front.draining = true;
  for (const connection of front.connections) connection.drain();
  await idle.closed;
  expect((await partial.send("Host: a\r\n\r\n").response()).status).toBe(200);
});
