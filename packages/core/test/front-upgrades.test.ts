// BAD-INPUTS.md, the rows about upgrades: 61, 67, 69, 71, 72.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { frontOver, upgrade } from "./support/front-over.ts";
import { answering, ok } from "./support/raw-backend.ts";
import { exchange, RawClient } from "./support/raw-client.ts";

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

const accept = createHash("sha1")
  .update("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
  .digest("base64");
const switching = (key: string) =>
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`;

test("BAD-INPUTS 61: an upgrade with the next request attached → 400", async () => {
  const { port, backend } = await frontOver(answering(ok("never")));
  expect((await exchange(port, upgrade() + get)).status).toBe(400);
  expect(backend.heads).toHaveLength(0);
});

test("BAD-INPUTS 61: bytes that come before the answer to an upgrade → 400, and nothing of them is lost in a tunnel", async () => {
  const { port, backend, endpoints, inFlight } = await frontOver(async (connection) => {
    await connection.head();
    await connection.closed;
  });
  const raw = await RawClient.ofTest(port);
  raw.send(upgrade());
  await expect.poll(() => backend.heads.length).toBe(1);
  expect((await raw.send(get).response()).status).toBe(400);
  await raw.closed;
  await expect.poll(() => inFlight(endpoints[0]!)).toBe(0);
  expect(backend.heads).toHaveLength(1);
});

test("BAD-INPUTS 61: an offer that was not taken leaves a connection like any other", async () => {
  const { port } = await frontOver(answering(ok("ignored")));
  const raw = await RawClient.ofTest(port);
  raw.send(upgrade());
  expect((await raw.response()).body.toString()).toBe("ignored");
  expect((await raw.send(get).response()).status).toBe(200);
});

test("BAD-INPUTS 67: an answer other than 101 is relayed, and no tunnel opens", async () => {
  const { port, backend } = await frontOver(answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"));
  const raw = await RawClient.ofTest(port);
  const response = await raw.send(upgrade()).response();
  expect(response.status).toBe(403);
  // What follows is read as HTTP, strictly.
  expect((await raw.send("\x81\x05hello GET / HTTP/1.1\r\n\r\n").response()).status).toBe(400);
  expect(backend.heads).toHaveLength(1);
});

test("BAD-INPUTS 69: a 101 with a missing or wrong accept key → 502", async () => {
  for (const key of ["", "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"]) {
    const { port } = await frontOver(answering(switching(key)));
    expect((await exchange(port, upgrade())).status).toBe(502);
  }
});

test("BAD-INPUTS 71: a foreign Origin → 403 where an allow-list is set", async () => {
  const { port, backend } = await frontOver(answering(switching(`Sec-WebSocket-Accept: ${accept}\r\n`)), {
    settings: { allowedOrigins: new Set(["https://app.example"]) },
  });
  for (const origin of [
    "https://evil.example",
    "null",
    "https://app.example.evil.example",
    "https://app.example:8443",
    "://",
  ]) {
    expect((await exchange(port, upgrade(`Origin: ${origin}\r\n`))).status).toBe(403);
  }
  expect(backend.heads).toHaveLength(0);
  expect((await exchange(port, upgrade("Origin: https://app.example\r\n"))).status).toBe(101);
  // No browser leaves it out, and who is none could send any.
  expect((await exchange(port, upgrade(""))).status).toBe(101);
});

test("BAD-INPUTS 72: a tunnel silent for longer than the tunnel timeout is closed on both sides", async () => {
  let backendClosed = false;
  const { port } = await frontOver(
    async (connection) => {
      void connection.closed.then(() => {
        backendClosed = true;
      });
      await connection.head();
      connection.send(switching(`Sec-WebSocket-Accept: ${accept}\r\n`));
    },
    { timeouts: { tunnelMs: 300 } },
  );
  const raw = await RawClient.ofTest(port);
  expect((await raw.send(upgrade()).response()).status).toBe(101);
  const openedAt = performance.now();
  await raw.closed;
  expect(performance.now() - openedAt).toBeGreaterThan(290);
  await expect.poll(() => backendClosed).toBe(true);
});
