// What hand-off mode has of its own, through a whole cluster: connections that move, and requests on the wrong worker.
import { createHash, randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { edge } from "./support/edge.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { RawClient } from "./support/raw-client.ts";
import { seededRandom } from "./support/seeded-random.ts";

async function startCluster(options: object = {}) {
  const primary = new PrimaryProcess("handoff-app.ts", {
    env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode: "handoff", instances: 2, ...options }) },
  });
  const up = await primary.up();
  return { primary, port: up.port, up };
}

/** A kept-alive client: one connection, one request after the other on it. */
class KeptAlive {
  readonly client: RawClient;

  static async connect(port: number): Promise<KeptAlive> {
    const client = await RawClient.ofTest(port);
    return new KeptAlive(client);
  }

  private constructor(client: RawClient) {
    this.client = client;
  }

  async ask(path = "/who", headers: readonly string[] = [], method = "GET", body = "") {
    const length = body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
    this.client.send(`${method} ${path} HTTP/1.1\r\n${["Host: x", ...headers, ...length].join("\r\n")}\r\n\r\n${body}`);
    const { status, headers: got, body: text } = await this.client.response();
    return { status, headers: got, told: JSON.parse(text.toString()) as Told };
  }
}

interface Told {
  readonly id: string;
  readonly pid: number;
  readonly remotePort: number;
  readonly remoteAddress: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Connections with TLS stay where they are. */
const testOfMoves = test.runIf(edge === "plain");

describe("connections that move", () => {
  testOfMoves("200 kept-alive clients survive reload() on the same TCP connection, without one error", async () => {
    const { primary, port } = await startCluster({ drainTimeoutMs: 5_000 });
    const clients = await Promise.all(Array.from({ length: 200 }, () => KeptAlive.connect(port)));
    const before = await Promise.all(clients.map((client) => client.ask()));
    const pids = new Set(before.map(({ told }) => told.pid));
    expect(pids.size).toBe(2);
    let running = true;
    let asked = 0;
    const busy = Promise.all(
      clients.slice(0, 100).map(async (client, n) => {
        while (running) {
          const { status, told } = await client.ask(n % 2 === 0 ? "/who" : "/slow?ms=20");
          expect([status, told.remotePort]).toEqual([200, client.client.socket.localPort]);
          asked += 1;
        }
      }),
    );
    await primary.operate("reload", { watchMs: 100 });
    running = false;
    await busy;
    const after = await Promise.all(clients.map((client) => client.ask()));
    for (const [n, { status, told }] of after.entries()) {
      expect([status, told.remotePort]).toEqual([200, clients[n]!.client.socket.localPort]);
      expect(pids.has(told.pid)).toBe(false);
      expect(clients[n]!.client.ended).toBe(false);
    }
    expect(asked).toBeGreaterThan(300);
  });

  testOfMoves("scale-down and drain() move them too, and resume() and scale-up bring nobody an error", async () => {
    const { primary, port } = await startCluster({ instances: 3 });
    const clients = await Promise.all(Array.from({ length: 30 }, () => KeptAlive.connect(port)));
    const on = async () =>
      new Set((await Promise.all(clients.map((client) => client.ask()))).map(({ told }) => told.id));
    expect(await on()).toEqual(new Set(["1", "2", "3"]));
    await primary.operate("scale", 2);
    expect(await on()).toEqual(new Set(["1", "2"]));
    await primary.operate("drain", 1);
    await expect.poll(on).toEqual(new Set(["2"]));
    await primary.operate("resume", 1);
    await primary.operate("scale", 3);
    for (const client of clients) expect(client.client.ended).toBe(false);
    const fresh = await Promise.all(Array.from({ length: 12 }, () => KeptAlive.connect(port)));
    const placed = await Promise.all(fresh.map((client) => client.ask()));
    expect(new Set(placed.map(({ told }) => told.id)).size).toBeGreaterThan(1);
  });

  test.each(["proxy", "handoff"])("drain() waits for no WebSocket, in %s mode", async (mode) => {
    const { primary, port } = await startCluster({ mode });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    onTestFinished(() => socket.terminate());
    const greeting = await new Promise<string>((resolve, reject) => {
      socket.once("message", (data) => resolve(String(data)));
      socket.once("error", reject);
    });
    const id = Number(greeting.replace("instance ", ""));
    await primary.statusThat(({ instances }) => instances[id - 1]!.inFlight === 1);
    await primary.operate("drain", id);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    expect((await primary.status()).instances[id - 1]).toMatchObject({ state: "draining", inFlight: 1 });
  });

  testOfMoves(
    "after a scale-up idle connections move to the new instance by themselves, at a bounded rate",
    async () => {
      const { primary, port } = await startCluster({ rebalance: { perSecond: 10 } });
      const clients = await Promise.all(Array.from({ length: 60 }, () => KeptAlive.connect(port)));
      const where = async () => (await Promise.all(clients.map((client) => client.ask()))).map(({ told }) => told.id);
      await where();
      const before = performance.now();
      await primary.operate("scale", 3);
      await expect
        .poll(async () => (await where()).filter((id) => id === "3").length, { timeout: 15_000 })
        .toBeGreaterThan(10);
      expect(performance.now() - before).toBeGreaterThan(900);
      for (const { client } of clients) expect(client.ended).toBe(false);
    },
  );

  test("FAULTS 44: a worker dies: its clients see their connection end, the others nothing", async () => {
    const { primary, port } = await startCluster();
    const clients = await Promise.all(Array.from({ length: 20 }, () => KeptAlive.connect(port)));
    const placed = await Promise.all(clients.map((client) => client.ask()));
    const victim = placed[0]!.told.pid;
    process.kill(victim, "SIGKILL");
    for (const [n, { told }] of placed.entries()) {
      if (told.pid === victim) await clients[n]!.client.closed;
      else expect((await clients[n]!.ask()).status).toBe(200);
    }
    await primary.statusThat(({ instances }) => instances.every(({ state }) => state === "ready"));
    await expect.poll(async () => (await primary.status()).instances.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
  });
});

describe("a request on the wrong worker", () => {
  /** One connection as a CDN has it: users of different instances, one after the other. */
  async function users() {
    const { primary, port } = await startCluster({ affinity: "cookie" });
    const cookies = new Map<string, string>();
    let made = 0;
    for (; cookies.size < 2 && made < 50; made += 1) {
      const { told, headers } = await (await KeptAlive.connect(port)).ask();
      cookies.set(told.id, headers["set-cookie"]!.split(";")[0]!);
    }
    expect(cookies.size).toBe(2);
    return { primary, port, cookies, made };
  }

  testOfMoves(
    "is answered by the right one, on the client's behalf, and counted; then the connection moves there",
    async () => {
      const { primary, port, cookies, made } = await users();
      const cdn = await KeptAlive.connect(port);
      await cdn.ask("/who", [`Cookie: ${cookies.get("1")}`]);
      for (const [id, body] of [
        ["2", ""],
        ["1", "a body"],
        ["2", "x".repeat(100_000)],
        ["1", ""],
      ] as const) {
        const method = body === "" ? "GET" : "POST";
        const { told, status, headers } = await cdn.ask("/who?q=1", [`Cookie: a=1; ${cookies.get(id)}`], method, body);
        expect([status, told.id, told.body]).toEqual([200, id, createHash("sha256").update(body).digest("hex")]);
        expect(told.remotePort).toBe(cdn.client.socket.localPort);
        expect([told.remoteAddress, told.url, told.headers["cookie"]]).toEqual(["127.0.0.1", "/who?q=1", "a=1"]);
        expect(headers["set-cookie"]).toBeUndefined();
      }
      const relayed = async () => (await primary.status()).instances.reduce((sum, one) => sum + one.relayed, 0);
      await expect.poll(relayed).toBeGreaterThan(0);
      // Once it stays with one user, it is where that user belongs: nothing is relayed any more.
      await cdn.ask("/who", [`Cookie: ${cookies.get("2")}`]);
      await cdn.ask("/who", [`Cookie: ${cookies.get("2")}`]);
      // Reports are behind the requests: those of all that was asked are in when as many are counted.
      const requests = async () => (await primary.status()).instances.reduce((sum, one) => sum + one.requests, 0);
      const asked = async (before: number) => expect.poll(async () => (await requests()) - before).toBe(0);
      await asked(made + 7);
      const settled = await relayed();
      for (let n = 0; n < 5; n += 1) expect((await cdn.ask("/who", [`Cookie: ${cookies.get("2")}`])).told.id).toBe("2");
      await asked(made + 12);
      expect((await relayed()) - settled).toBeLessThanOrEqual(1);
    },
  );

  test("so are a WebSocket, and a response whose worker dies in the middle", async () => {
    const { primary, port, cookies } = await users();
    const cdn = await KeptAlive.connect(port);
    const { told } = await cdn.ask("/who", [`Cookie: ${cookies.get("1")}`]);
    const key = randomBytes(16).toString("base64");
    cdn.client.send(
      `GET /socket HTTP/1.1\r\nHost: x\r\nCookie: ${cookies.get("2")}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    await cdn.client.until(() => cdn.client.pending.includes("instance 2"));
    const other = await KeptAlive.connect(port);
    await other.ask("/who", [`Cookie: ${cookies.get("1")}`]);
    other.client.send(`GET /half HTTP/1.1\r\nHost: x\r\nCookie: ${cookies.get("2")}\r\n\r\n`);
    await other.client.until(() => other.client.pending.includes("the beginning"));
    const { instances } = await primary.status();
    process.kill(instances.find(({ id }) => id === 2)!.pid!, "SIGKILL");
    await other.client.closed;
    await cdn.client.closed;
    expect(other.client.pending.toString()).not.toContain("\r\n0\r\n\r\n");
    expect((await (await KeptAlive.connect(port)).ask()).told.pid).toBe(told.pid);
  });
});

test("what clients say of whom they speak for is not believed, request after request", async () => {
  const { port } = await startCluster({ affinity: "cookie" });
  const client = await KeptAlive.connect(port);
  const lies = [
    "X-Forwarded-For: 192.0.2.9",
    "x-real-ip: 192.0.2.9",
    "Forwarded: for=192.0.2.9",
    "X_Forwarded_Host: evil",
    "X-Fine: yes",
    // BAD-INPUTS 96, and its aliases: they are for proxies.
    "Proxy: http://evil.example",
    "Proxy-Connection: keep-alive",
    "Proxy-Authorization: Basic eDp5",
    "Keep-Alive: timeout=99",
    "HTTP2-Settings: AAMAAABkAAQAAP__",
  ];
  for (let n = 0; n < 3; n += 1) {
    const { told } = await client.ask("/who", lies);
    expect(Object.keys(told.headers).sort()).toEqual([
      "host",
      "x-fine",
      ...(edge === "plain" ? [] : ["x-forwarded-proto"]),
    ]);
    expect(told.remoteAddress).toBe("127.0.0.1");
  }
});

test("allowedHosts and allowedOrigins hold for every request of a connection", async () => {
  const { port } = await startCluster({ allowedHosts: ["x"], allowedOrigins: ["https://app.example"] });
  const client = await KeptAlive.connect(port);
  expect((await client.ask()).status).toBe(200);
  client.client.send("GET /who HTTP/1.1\r\nHost: evil\r\n\r\n");
  expect((await client.client.response()).status).toBe(421);
  const twice = await KeptAlive.connect(port);
  await twice.ask();
  twice.client.send("GET /who HTTP/1.1\r\nHost: x\r\nHost: evil\r\n\r\n");
  expect([400, 421]).toContain((await twice.client.response()).status);
  // Our parser reads the first request in the clear, Node's all others.
  // BAD-INPUTS 40: a target in absolute form names the host, whatever Host says; of the first request as of the others.
  for (const before of [0, 1]) {
    for (const [target, host, status, seen] of [
      ["http://evil/who", "x", 421, undefined],
      ["HTTP://evil:80?x", "x", 421, undefined],
      ["http://x@evil/who", "x", before === 0 && edge === "plain" ? 400 : 421, undefined],
      ["http://x/who?a=1", "evil", 200, { url: "/who?a=1", host: "x" }],
      ["https://x?a=1", "evil", 200, { url: "/?a=1", host: "x" }],
    ] as const) {
      const { client: absolute } = await KeptAlive.connect(port);
      if (before === 1) await absolute.send("GET /who HTTP/1.1\r\nHost: x\r\n\r\n").response();
      const response = await absolute.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`).response();
      expect([target, before, response.status]).toEqual([target, before, status]);
      if (seen === undefined) continue;
      const { url, headers } = JSON.parse(response.body.toString()) as Told;
      expect([url, headers["host"]]).toEqual([seen.url, seen.host]);
    }
  }
  const second = await KeptAlive.connect(port);
  await second.ask();
  second.client.send(
    "GET /socket HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
  );
  expect((await second.client.response()).status).toBe(403);
});

test("retry and what else only a proxy can do is refused with a remedy", async () => {
  for (const [options, name] of [
    [{ retry: { attempts: 2 } }, "retry"],
    [{ limits: { maxBodyBytes: 1_000 } }, "limits.maxBodyBytes"],
    [{ limits: { maxConnectionsPerAddress: 20 } }, "limits.maxConnectionsPerAddress"],
  ] as const) {
    const primary = new PrimaryProcess("handoff-app.ts", {
      env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode: "handoff", ...options }) },
    });
    const failed = await primary.failed();
    expect([failed.code, failed.message.includes(`"${name}"`), failed.message.includes('mode "proxy"')]).toEqual([
      "LB_OPTION",
      true,
      true,
    ]);
  }
});

test("WebSockets pass, and count as in flight as long as they are open", async () => {
  const { primary, port } = await startCluster();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
  onTestFinished(() => socket.terminate());
  await new Promise((resolve) => socket.once("message", resolve));
  const inFlight = async () => (await primary.status()).instances.reduce((sum, one) => sum + one.inFlight, 0);
  await expect.poll(inFlight).toBe(1);
  socket.close();
  await expect.poll(inFlight).toBe(0);
});

/** Writes `bytes` in pieces, some of which leave in segments of their own. */
async function writeInPieces(socket: Socket, bytes: Buffer, random: () => number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + Math.floor(random() ** 4 * bytes.length);
    socket.write(bytes.subarray(at, at + size));
    at += size;
    if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
  }
}

test("3,000 uploads of all sizes, encodings and split points: every byte arrives", { timeout: 120_000 }, async () => {
  const { port } = await startCluster();
  const random = seededRandom(20_261_121);
  const bytes = randomBytes(1_000_000);
  let done = 0;
  const lane = async () => {
    let client: RawClient | undefined;
    while (done < 3_000) {
      done += 1;
      const start = Math.floor(random() * 500_000);
      const body = bytes.subarray(start, start + Math.floor(random() ** 6 * 500_000));
      client ??= await RawClient.connect(port);
      const chunked = random() < 0.5;
      const close = random() < 0.3;
      const head = `POST /who HTTP/1.1\r\nHost: x\r\n${close ? "Connection: close\r\n" : ""}`;
      const message = chunked
        ? Buffer.concat([Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`), ...inChunks(body, random)])
        : Buffer.concat([Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n`), body]);
      await writeInPieces(client.socket, message, random);
      const { status, body: answer } = await client.response();
      expect([status, (JSON.parse(answer.toString()) as Told).body]).toEqual([
        200,
        createHash("sha256").update(body).digest("hex"),
      ]);
      if (close) {
        client.destroy();
        client = undefined;
      }
    }
    client?.destroy();
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  expect(done).toBeGreaterThanOrEqual(3_000);
});

function* inChunks(body: Buffer, random: () => number): Generator<Buffer> {
  for (let at = 0; at < body.length; ) {
    const size = Math.min(body.length - at, 1 + Math.floor(random() ** 3 * 70_000));
    yield Buffer.from(`${size.toString(16)}\r\n`);
    yield body.subarray(at, at + size);
    yield Buffer.from("\r\n");
    at += size;
  }
  yield Buffer.from("0\r\n\r\n");
}
