// BAD-INPUTS 192: what programs that are none of ours may send in place of a response.
import { expect, test } from "vitest";
import { rawBackend } from "./support/raw-backend.ts";
import { exchange, RawClient } from "./support/raw-client.ts";
import { startFront } from "./support/test-front.ts";

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** A front over a backend that answers each request with these bytes, and then closes, or says nothing more. */
async function over(bytes: string, { stays = false, responseMs = 300 } = {}) {
  const backend = await rawBackend(async ({ head, send, socket }) => {
    await head();
    send(bytes);
    if (!stays) socket.end();
  });
  return startFront({
    backends: [backend.port],
    timeouts: { responseMs, responseIdleMs: 300 },
    retry: { attempts: 1 },
  });
}

test.each([
  ["HTTP/1.0 without a length", "HTTP/1.0 200 OK\r\n\r\nhello"],
  ["HTTP/1.1 without a length", "HTTP/1.1 200 OK\r\n\r\nhello"],
  ["HTTP/1.0 with one, and more than that", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello and more"],
  [
    "a few early hints before it",
    `${"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(10)}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello`,
  ],
])("BAD-INPUTS 192: %s is a response all the same", async (_, bytes) => {
  const { port } = await over(bytes, { responseMs: 5_000 });
  const client = await RawClient.ofTest(port);
  client.send(get);
  let response = await client.response();
  while (response.status < 200) response = await client.response();
  expect([response.status, response.body.toString()]).toEqual([200, "hello"]);
});

test.each([
  ["half a head, and the end", "HTTP/1.1 200 OK\r\nContent-Le", false, 502],
  ["half a head, and nothing more", "HTTP/1.1 200 OK\r\nContent-Le", true, 504],
  ["chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false, 502],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", false, 502],
  [
    "a length and chunks",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    false,
    502,
  ],
  ["no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", false, 502],
  ["a head without end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(1_000_000)}`, true, 502],
  [
    "an upgrade that nobody asked for",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    true,
    502,
  ],
])("BAD-INPUTS 192: %s is none, and the client is told so", async (_, bytes, stays, status) => {
  const { port } = await over(bytes, { stays });
  expect((await exchange(port, get)).status).toBe(status);
});

test("BAD-INPUTS 192: early hints without end are no response, however many come", async () => {
  const backend = await rawBackend(async ({ head, socket }) => {
    await head();
    const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(50);
    const more = () => {
      while (!socket.destroyed && socket.write(hints));
    };
    socket.on("drain", more);
    more();
  });
  const { port } = await startFront({
    backends: [backend.port],
    timeouts: { responseMs: 500 },
    retry: { attempts: 1 },
  });
  const client = await RawClient.ofTest(port);
  client.send(get);
  let response = await client.response();
  while (response.status < 200) response = await client.response();
  expect(response.status).toBe(502);
});
