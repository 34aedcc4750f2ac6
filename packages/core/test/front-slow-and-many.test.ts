// BAD-INPUTS.md, the rows that need time, sequence or numbers: 34–36, 61, 67–69, 71–76, 78–81, 85, 91–96.
import { createHash } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { answering, type BackendConnection, ok, rawBackend } from "./support/raw-backend.ts";
import { exchange, RawClient } from "./support/raw-client.ts";
import { startFront, type TestFrontOptions } from "./support/test-front.ts";

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

async function over(
  script: (connection: BackendConnection) => void | Promise<void>,
  options: Omit<TestFrontOptions, "backends"> = {},
) {
  const backend = await rawBackend(script);
  onTestFinished(() => backend.close());
  return { backend, ...(await startFront({ ...options, backends: [backend.port] })) };
}

async function client(port: number, options?: { localAddress?: string }): Promise<RawClient> {
  const connected = await RawClient.connect(port, options);
  onTestFinished(() => connected.destroy());
  return connected;
}

test("BAD-INPUTS 34: a response sent before the body was read: a short rest is read, and the connection goes on", async () => {
  const { port } = await over(answering(ok("early")));
  const raw = await client(port);
  raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  const response = await raw.response();
  expect(response.body.toString()).toBe("early");
  expect(response.headers["connection"]).toBeUndefined();
  // What the endpoint sees behind its early answer is body; only then comes the next request, on another connection.
  raw.send("x".repeat(1_000));
  expect((await raw.send(get).response()).body.toString()).toBe("early");
});

test("BAD-INPUTS 34: a long rest is not waited for: Connection: close", async () => {
  const { port } = await over(answering(ok("early")));
  const raw = await client(port);
  raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\nabc");
  expect((await raw.response()).headers["connection"]).toBe("close");
  await raw.closed;
});

test("BAD-INPUTS 34: a rest of unknown length is read up to a bound", async () => {
  const { port } = await over(answering(ok("early")));
  const raw = await client(port);
  raw.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  await raw.response();
  const chunk = `1000\r\n${"x".repeat(4_096)}\r\n`;
  const pump = () => {
    while (!raw.ended && raw.socket.write(chunk));
  };
  raw.socket.on("drain", pump);
  pump();
  await raw.closed;
});

test("BAD-INPUTS 34: a rest that turns out malformed ends the connection, and nobody is answered twice", async () => {
  const { port } = await over(answering(ok("early")));
  const raw = await client(port);
  raw.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  expect((await raw.response()).body.toString()).toBe("early");
  raw.send("no chunk\r\n");
  await raw.closed;
  expect(raw.pending.toString()).toBe("");
});

test("BAD-INPUTS 35: a client that pipelines and never reads is not read from for ever", async () => {
  const { port, backend } = await over(answering(ok("x".repeat(10_000))));
  const raw = await client(port);
  raw.socket.pause();
  const batch = get.repeat(200);
  let sent = 0;
  const pump = () => {
    while (sent < 100_000 && raw.socket.write(batch)) sent += 200;
  };
  raw.socket.on("drain", pump);
  pump();
  let before = -1;
  await expect
    .poll(
      () => {
        const still = backend.heads.length === before && before > 0;
        before = backend.heads.length;
        return still;
      },
      { interval: 200, timeout: 10_000 },
    )
    .toBe(true);
  expect(backend.heads.length).toBeLessThan(5_000);
});

test("BAD-INPUTS 36: bytes behind a request with Connection: close are ignored", async () => {
  const { port, backend } = await over(answering(ok("one")));
  const raw = await client(port);
  raw.send(`GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n${get}${get}`);
  expect((await raw.response()).headers["connection"]).toBe("close");
  await raw.closed;
  expect(raw.pending).toHaveLength(0);
  expect(backend.heads).toHaveLength(1);
});

test("BAD-INPUTS 42: a list of hosts is matched exactly, never by prefix or suffix → 421", async () => {
  const { port, backend } = await over(answering(ok("fine")), {
    settings: { allowedHosts: new Set(["app.example", "[::1]"]) },
  });
  const ask = async (host: string) => (await exchange(port, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).status;
  for (const host of [
    "app.example.evil",
    "evil-app.example",
    "xapp.example",
    "example",
    "app.example.",
    "[::1",
    "[::11]",
  ]) {
    expect(await ask(host), host).toBeOneOf([400, 421]);
  }
  expect(await ask("app.example.evil")).toBe(421);
  expect(backend.heads).toHaveLength(0);
  for (const host of ["app.example", "APP.Example:8080", "[::1]:3000", "[::1]"])
    expect(await ask(host), host).toBe(200);
});

test("BAD-INPUTS 50: malformed Host or Origin are refused by the checks, which do not throw", async () => {
  const { port, backend } = await over(answering(ok("fine")), {
    settings: { allowedHosts: new Set(["x"]), allowedOrigins: new Set(["https://app.example"]) },
  });
  for (const host of ["[", "]", "x:", "x:99999999", "x:abc", "%", "[::1]x", ":80", "\xff"]) {
    expect((await exchange(port, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).status, host).toBeOneOf([200, 400, 421]);
  }
  const before = backend.heads.length;
  for (const origin of [
    "http://[",
    "https://%zz",
    "https://app.example:x",
    "\xff",
    "https://app.example https://app.example",
  ]) {
    expect((await exchange(port, upgrade(`Origin: ${origin}\r\n`))).status, origin).toBe(403);
  }
  expect(backend.heads).toHaveLength(before);
});

const upgrade = (more = "") =>
  `GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`;
const accept = createHash("sha1")
  .update("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
  .digest("base64");
const switching = (key: string) =>
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`;

test("BAD-INPUTS 61: an upgrade with the next request attached → 400", async () => {
  const { port, backend } = await over(answering(ok("never")));
  expect((await exchange(port, upgrade() + get)).status).toBe(400);
  expect(backend.heads).toHaveLength(0);
});

test("BAD-INPUTS 61: bytes that come before the answer to an upgrade → 400, and nothing of them is lost in a tunnel", async () => {
  const { port, backend, endpoints, inFlight } = await over(async (connection) => {
    await connection.head();
    await connection.closed;
  });
  const raw = await client(port);
  raw.send(upgrade());
  await expect.poll(() => backend.heads.length).toBe(1);
  expect((await raw.send(get).response()).status).toBe(400);
  await raw.closed;
  await expect.poll(() => inFlight(endpoints[0]!)).toBe(0);
  expect(backend.heads).toHaveLength(1);
});

test("BAD-INPUTS 61: an offer that was not taken leaves a connection like any other", async () => {
  const { port } = await over(answering(ok("ignored")));
  const raw = await client(port);
  raw.send(upgrade());
  expect((await raw.response()).body.toString()).toBe("ignored");
  expect((await raw.send(get).response()).status).toBe(200);
});

test("BAD-INPUTS 67: an answer other than 101 is relayed, and no tunnel opens", async () => {
  const { port, backend } = await over(answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"));
  const raw = await client(port);
  const response = await raw.send(upgrade()).response();
  expect(response.status).toBe(403);
  // What follows is read as HTTP, strictly.
  expect((await raw.send("\x81\x05hello GET / HTTP/1.1\r\n\r\n").response()).status).toBe(400);
  expect(backend.heads).toHaveLength(1);
});

test("BAD-INPUTS 69: a 101 with a missing or wrong accept key → 502", async () => {
  for (const key of ["", "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"]) {
    const { port } = await over(answering(switching(key)));
    expect((await exchange(port, upgrade())).status).toBe(502);
  }
});

test("BAD-INPUTS 71: a foreign Origin → 403 where an allow-list is set", async () => {
  const { port, backend } = await over(answering(switching(`Sec-WebSocket-Accept: ${accept}\r\n`)), {
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
});

test("BAD-INPUTS 72: a tunnel silent for longer than the tunnel timeout is closed on both sides", async () => {
  let backendClosed = false;
  const { port } = await over(
    async (connection) => {
      void connection.closed.then(() => {
        backendClosed = true;
      });
      await connection.head();
      connection.send(switching(`Sec-WebSocket-Accept: ${accept}\r\n`));
    },
    { timeouts: { tunnelMs: 300 } },
  );
  const raw = await client(port);
  expect((await raw.send(upgrade()).response()).status).toBe(101);
  const openedAt = performance.now();
  await raw.closed;
  expect(performance.now() - openedAt).toBeGreaterThan(290);
  await expect.poll(() => backendClosed).toBe(true);
});

test("BAD-INPUTS 73: slow headers → 408, however steadily they trickle in", async () => {
  const { port, backend } = await over(answering(ok("never")), { timeouts: { headersMs: 300 } });
  const raw = await client(port);
  raw.send("GET / HTTP/1.1\r\n");
  const trickle = setInterval(() => raw.socket.write("X-A: b\r\n"), 20);
  onTestFinished(() => clearInterval(trickle));
  expect((await raw.response()).status).toBe(408);
  await raw.closed;
  expect(backend.heads).toHaveLength(0);
});

test("BAD-INPUTS 73, 76: what came while the front was held up is read before a deadline is judged", async () => {
  const { port } = await over(answering(ok("in time")), { timeouts: { headersMs: 100, keepAliveMs: 200 } });
  const [idle, begun] = [await client(port), await client(port)];
  for (const raw of [idle, begun]) await raw.send(get).response();
  // The request of another connection passes: what was sent before has been read.
  begun.send("GET / HTTP/1.1\r\n");
  await exchange(port, get);
  idle.send(get);
  begun.send("Host: x\r\n\r\n");
  // Client and front share this event loop, which is now held up for longer than both deadlines.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  for (const raw of [idle, begun]) expect(await raw.response()).toMatchObject({ status: 200 });
});

test("BAD-INPUTS 74: a request body that makes no progress → 408", async () => {
  const { port } = await over(async (connection) => void (await connection.head()), { timeouts: { bodyIdleMs: 300 } });
  const raw = await client(port);
  raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  expect((await raw.response()).status).toBe(408);
  await raw.closed;
});

test("BAD-INPUTS 75: a client that does not read its response is closed", async () => {
  let backendClosed = false;
  const { port } = await over(
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
  const raw = await client(port);
  raw.socket.pause();
  raw.send(get);
  await expect.poll(() => backendClosed, { timeout: 10_000 }).toBe(true);
});

test("BAD-INPUTS 76: a client that connects and says nothing is closed", async () => {
  const { port, front } = await over(answering(ok("never")), { timeouts: { keepAliveMs: 200 } });
  const raw = await client(port);
  await raw.closed;
  expect(raw.pending).toHaveLength(0);
  await expect.poll(() => front.connections).toBe(0);
});

test("BAD-INPUTS 78: connections over the limit → 503, and there is room again when one leaves", async () => {
  const { port, front } = await over(answering(ok("fine")), { settings: { maxConnections: 2 } });
  const first = await client(port);
  const second = await client(port);
  for (const raw of [first, second]) expect((await raw.send(get).response()).status).toBe(200);
  const third = await client(port);
  const refused = await third.response();
  expect(refused.status).toBe(503);
  expect(refused.headers["retry-after"]).toBeDefined();
  await third.closed;
  first.destroy();
  await expect.poll(() => front.connections).toBe(1);
  expect((await exchange(port, get)).status).toBe(200);
});

test("BAD-INPUTS 79: a flood from one address → 429, others are served", async () => {
  const { port, front } = await over(answering(ok("fine")), { settings: { maxConnectionsPerAddress: 2 } });
  const held = [await client(port, { localAddress: "127.0.0.2" }), await client(port, { localAddress: "127.0.0.2" })];
  for (const raw of held) expect((await raw.send(get).response()).status).toBe(200);
  expect((await (await client(port, { localAddress: "127.0.0.2" })).response()).status).toBe(429);
  expect((await (await client(port, { localAddress: "127.0.0.3" })).send(get).response()).status).toBe(200);
  held[0]!.destroy();
  await expect.poll(() => front.connections).toBe(2);
  expect((await (await client(port, { localAddress: "127.0.0.2" })).send(get).response()).status).toBe(200);
});

test("BAD-INPUTS 80: a Content-Length over the limit → 413 before any byte of the body", async () => {
  const { port, backend } = await over(answering(ok("never")), { http: { maxBodyBytes: 1_000 } });
  expect((await exchange(port, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")).status).toBe(413);
  expect(backend.heads).toHaveLength(0);
});

test("BAD-INPUTS 81: a chunked body over the limit → 413 in mid-stream, and the endpoint sees it broken off", async () => {
  let seen = (): string => "";
  let brokenOff = false;
  const { port } = await over(
    async (connection) => {
      await connection.head();
      seen = () => connection.rest().toString();
      await connection.closed;
      brokenOff = true;
    },
    { http: { maxBodyBytes: 1_000 } },
  );
  const raw = await client(port);
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
  const { port, backend } = await over(answering(ok("fine")), {
    settings: { host: "::", maxConnectionsPerAddress: 1 },
  });
  const first = await client(port);
  expect((await first.send(get).response()).status).toBe(200);
  expect(backend.heads[0]).toContain("X-Forwarded-For: 127.0.0.1\r\n");
  expect((await (await client(port)).response()).status).toBe(429);
});

const seenFor = async (fields: string, settings: Partial<TestFrontOptions["settings"]> = {}): Promise<string> => {
  const { port, backend } = await over(answering(ok("fine")), { settings: { ...settings } });
  expect((await exchange(port, `GET / HTTP/1.1\r\nHost: shop.example\r\n${fields}\r\n`)).status).toBe(200);
  return backend.heads[0]!.toLowerCase();
};

test("BAD-INPUTS 91, 92: forwarding fields of an untrusted peer are overwritten", async () => {
  const head = await seenFor(
    "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 1\r\nX-Real-IP: 6.6.6.6\r\n",
  );
  expect(head).not.toMatch(/6\.6\.6\.6|evil|x-forwarded-proto: https|x-forwarded-port: 1\r/);
  for (const name of ["for", "proto", "host", "port"]) expect(head.split(`x-forwarded-${name}:`)).toHaveLength(2);
  expect(head).toContain("x-forwarded-for: 127.0.0.1\r\n");
});

test("BAD-INPUTS 91: those of a trusted peer are believed", async () => {
  const head = await seenFor("X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n", {
    trustsPeer: () => true,
  });
  expect(head).toContain("x-forwarded-for: 203.0.113.7, 127.0.0.1\r\n");
  expect(head).toContain("x-forwarded-proto: https\r\n");
});

test("BAD-INPUTS 93: Forwarded is dropped", async () => {
  expect(await seenFor("Forwarded: for=6.6.6.6\r\n")).not.toContain("forwarded: for");
});

test("BAD-INPUTS 94: nominating a forwarding field as hop-by-hop does not remove ours", async () => {
  const head = await seenFor("Connection: x-forwarded-for, x-secret\r\nX-Secret: 1\r\n");
  expect(head).toContain("x-forwarded-for: 127.0.0.1\r\n");
  expect(head).not.toContain("x-secret");
});

test("BAD-INPUTS 95: nominating Host or Content-Length → 400", async () => {
  const { port, backend } = await over(answering(ok("never")));
  expect((await exchange(port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: host, content-length\r\n\r\n")).status).toBe(
    400,
  );
  expect(backend.heads).toHaveLength(0);
});

test("BAD-INPUTS 96: Proxy, Keep-Alive, Proxy-Authorization and Proxy-Connection are stripped", async () => {
  const head = await seenFor(
    "Proxy: http://evil\r\nKeep-Alive: 300\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: keep-alive\r\n",
  );
  expect(head).not.toMatch(/proxy|keep-alive/);
});
