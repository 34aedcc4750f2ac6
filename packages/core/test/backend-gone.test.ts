// FAULTS 69: endpoints on other machines that are gone without a word, or as good as gone.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { reset } from "../src/tls/reset.ts";
import { frontOver } from "./support/front-over.ts";
import { answering, ok, rawBackend } from "./support/raw-backend.ts";
import { exchange, RawClient } from "./support/raw-client.ts";
import { startFront } from "./support/test-front.ts";

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";

const app = `
const server = require("node:http").createServer((_request, response) => response.end("alive"));
server.keepAliveTimeout = 60_000;
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(server.address().port));
`;

/** A program that answers, until it is stopped: its machine then says nothing any more to those who connect. */
async function remote() {
  const child = spawn(process.execPath, ["-e", app], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  const port = Number(String((await once(child.stdout, "data"))[0]));
  return {
    port,
    async stop() {
      child.kill("SIGSTOP");
      // Its queue takes some; what comes then is dropped.
      for (let queued = true; queued; ) {
        const socket: Socket = connect(port, "127.0.0.1").on("error", () => {});
        onTestFinished(() => void socket.destroy());
        queued = await Promise.race([
          once(socket, "connect").then(() => true),
          // The kernel connects at once. What it did is heard of in the turn after a timer that is late.
          new Promise<false>((resolve) => setTimeout(() => setImmediate(() => resolve(false)), 150)),
        ]);
      }
    },
  };
}

const timed = async (ask: () => Promise<unknown>) => {
  const begun = performance.now();
  await ask();
  return performance.now() - begun;
};

async function other() {
  const running = await rawBackend(answering(ok("other")));
  onTestFinished(() => running.close());
  return running;
}

test("FAULTS 69: where packets are dropped, requests go elsewhere in time, whatever the method; then at once", async () => {
  const gone = await remote();
  const { port } = await startFront({
    backends: [gone.port, (await other()).port],
    pool: { connectTimeoutMs: 1_000 },
    balancer: { health: {} },
  });
  await gone.stop();
  const first = await timed(async () => {
    const all = await Promise.all(Array.from({ length: 40 }, (_, n) => exchange(port, n % 2 === 0 ? get : post)));
    for (const { body } of all) expect(body.toString()).toBe("other");
  });
  expect(first).toBeGreaterThan(980);
  // One after the other, half of them would take 20 s.
  expect(first).toBeLessThan(8_000);
  const then = await timed(async () => {
    for (let n = 0; n < 20; n++) expect((await exchange(port, post)).body.toString()).toBe("other");
  });
  // Half of them would have waited.
  expect(then).toBeLessThan(8_000);
});

test("FAULTS 69: one that goes while its connections are kept costs a request its deadline, and is left out", async () => {
  const gone = await remote();
  const { port } = await startFront({
    backends: [gone.port, (await other()).port],
    timeouts: { responseMs: 1_000 },
    balancer: { health: { passive: { on: ["connect", "timeout"] } } },
  });
  const bodies = [await exchange(port, get), await exchange(port, get)].map(({ body }) => body.toString());
  expect(bodies.sort()).toEqual(["alive", "other"]);
  await gone.stop();
  const statuses: number[] = [];
  for (let n = 0; n < 10; n++) statuses.push((await exchange(port, post)).status);
  expect(statuses.filter((status) => status === 504)).toHaveLength(1);
  expect(statuses.filter((status) => status === 200)).toHaveLength(9);
});

describe.each([
  ["in the clear", false],
  ["over TLS", true],
])("%s", (_, secure) => {
  const byte = (send: (bytes: string) => void, text: string) => {
    let at = 0;
    const timer = setInterval(() => {
      if (at < text.length) send(text[at++]!);
      else clearInterval(timer);
    }, 20);
    onTestFinished(() => clearInterval(timer));
  };

  test("FAULTS 69: a head that comes byte by byte is not waited for", async () => {
    const { port } = await frontOver(
      async (connection) => {
        await connection.head();
        byte(connection.send, ok("x".repeat(100)));
      },
      { secure, timeouts: { responseMs: 300 } },
    );
    const ms = await timed(async () => expect((await exchange(port, get)).status).toBe(504));
    // All of its bytes would take two seconds and more, and each would move a time-out for idleness.
    expect(ms).toBeLessThan(10_000);
  });

  test("FAULTS 69: a body that comes byte by byte goes on as it comes, and is cut when nothing comes any more", async () => {
    const { port } = await frontOver(
      async (connection) => {
        await connection.head();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
        byte(connection.send, "0123456789");
      },
      { secure, timeouts: { responseIdleMs: 300 } },
    );
    const client = await RawClient.ofTest(port);
    client.send(get);
    await client.until(() => client.pending.toString().includes("\r\n\r\n0123"));
    await client.closed;
    expect(client.pending.toString()).toMatch(/\r\n\r\n0123456789$/);
  });

  test("FAULTS 69: one that answers and then resets has answered, and the next request has a connection of its own", async () => {
    const { port, backend } = await frontOver(
      async (connection) => {
        await connection.head();
        connection.send(ok("whole"));
        setTimeout(() => reset(connection.socket), 10);
      },
      { secure },
    );
    const client = await RawClient.ofTest(port);
    for (let n = 1; n <= 10; n++) {
      expect((await client.send(get).response()).body.toString()).toBe("whole");
      await new Promise((resolve) => setTimeout(resolve, n));
    }
    expect(backend.connections).toBeGreaterThan(1);
  });
});
