import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { eventually } from "../../core/test/support/eventually.ts";
import { rawBackend } from "../../core/test/support/raw-backend.ts";
import { exchange, RawClient } from "../../core/test/support/raw-client.ts";
import { deadUrl, startBackend } from "./support/backend.ts";
import { frameworks } from "./support/frameworks.ts";

const off = { passive: false, outlier: false } as const;
const key = "dGhlIHNhbXBsZSBub25jZQ==";
const handshake = (path: string, ...more: string[]) =>
  [
    `GET ${path} HTTP/1.1`,
    "Host: x",
    "Connection: Upgrade",
    "Upgrade: websocket",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
    ...more,
    "",
    "",
  ].join("\r\n");

function open(port: number, path = "/", headers: Record<string, string> = {}): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
  onTestFinished(() => socket.terminate());
  return socket;
}

async function opened(socket: WebSocket): Promise<void> {
  if (socket.readyState !== WebSocket.OPEN) await once(socket, "open");
}

async function echoed(socket: WebSocket, text: string): Promise<string> {
  const answer = once(socket, "message");
  socket.send(text);
  return String((await answer)[0]);
}

describe.each(frameworks)("$name: WebSockets", ({ startGateway }) => {
  it("relays them like requests: the first one of the process too, under the mount's path", async () => {
    const backend = await startBackend("a");
    const { port, gateway } = await startGateway({ targets: [backend.url], mount: "/api", affinity: "cookie" });
    const socket = open(port, "/api/live?x=1");
    const [response] = await once(socket, "upgrade");
    expect(response.headers["set-cookie"]).toHaveLength(1);
    await opened(socket);
    expect(await echoed(socket, "hello")).toBe("a:hello");
    const big = "x".repeat(1_000_000);
    expect(await echoed(socket, big)).toBe(`a:${big}`);
    expect(backend.seen[0]).toMatchObject({ url: "/live?x=1", headers: { "x-forwarded-for": "127.0.0.1" } });
    expect(gateway.status().endpoints[0]).toMatchObject({ inFlight: 1, failures: 0 });
    socket.close();
    await eventually(() => gateway.status().endpoints[0]!.inFlight === 0, { what: "the lease ends" });
    await eventually(() => backend.sockets.size === 0, { what: "the target's connection ends" });
  });

  it("an offer of another protocol is ignored, and its request relayed with its body", async () => {
    const backend = await startBackend("a");
    const { port } = await startGateway({ targets: [backend.url] });
    const head = ["Host: x", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"];
    for (const lines of [
      ["GET /a HTTP/1.1", ...head],
      ["POST /b HTTP/1.1", ...head, "Content-Length: 5"],
    ]) {
      const body = lines.length > 5 ? "hello" : "";
      const answer = await exchange(port, [...lines, "", body].join("\r\n"));
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body.toString())).toMatchObject({ body });
    }
  });

  it("tries a target elsewhere that cannot be had, and ends with the target", async () => {
    const good = await startBackend("good");
    const targets = [await deadUrl(), good.url];
    const { port } = await startGateway({ targets, health: off, strategy: "round-robin" });
    const sockets = [open(port), open(port)];
    for (const socket of sockets) {
      await opened(socket);
      expect(await echoed(socket, "x")).toBe("good:x");
    }
    const closes = sockets.map((socket) => once(socket, "close"));
    await good.kill();
    for (const [code] of await Promise.all(closes)) expect(code).toBe(1006);
  });

  it("tries a target elsewhere that answers 503 to the handshake", async () => {
    const busy = await rawBackend(async (connection) => {
      await connection.head();
      connection.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    });
    const good = await startBackend("good");
    const targets = [`http://127.0.0.1:${busy.port}`, good.url];
    const { port } = await startGateway({ targets, health: off, strategy: "round-robin" });
    for (const socket of [open(port), open(port)]) {
      await opened(socket);
      expect(await echoed(socket, "x")).toBe("good:x");
    }
    expect(busy.heads).toHaveLength(1);
    await busy.close();
  });

  it("what the target answers in place of 101 is the answer, and no tunnel (67)", async () => {
    const refusing = await rawBackend(async (connection) => {
      await connection.head();
      connection.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Why: no\r\n\r\nno");
    });
    const { port, gateway } = await startGateway({ targets: [`http://127.0.0.1:${refusing.port}`] });
    const answer = await exchange(port, handshake("/"));
    expect(answer).toMatchObject({ status: 403, headers: { "x-why": "no", connection: "close" } });
    expect(answer.body.toString()).toBe("no");
    await eventually(() => gateway.status().endpoints[0]!.inFlight === 0, { what: "the lease ends" });
    await refusing.close();
  });

  it("a 101 for another handshake is 502 (69)", async () => {
    const wrong = await rawBackend(async (connection) => {
      await connection.head();
      connection.send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: no\r\n\r\n",
      );
    });
    const { port } = await startGateway({ targets: [`http://127.0.0.1:${wrong.port}`] });
    expect((await exchange(port, handshake("/"))).status).toBe(502);
    expect((await exchange(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")).status).toBe(502);
    await wrong.close();
  });

  it("refuses what is no handshake, and foreign origins (61, 64, 65, 71)", async () => {
    const backend = await startBackend("a");
    const { port } = await startGateway({ targets: [backend.url], allowedOrigins: ["https://app.example"] });
    const origin = "Origin: https://app.example";
    const refusals: [string, number][] = [
      [handshake("/", "Origin: https://evil.example"), 403],
      [handshake("/", "Origin: null"), 403],
      [handshake("/", origin).replace(key, "short"), 400],
      [handshake("/", origin).replace("Version: 13", "Version: 8"), 426],
      [`${handshake("/", origin, "Content-Length: 4")}body`, 400],
      [`${handshake("/", origin)}GET /next HTTP/1.1\r\nHost: x\r\n\r\n`, 400],
    ];
    for (const [bytes, status] of refusals) {
      const client = await RawClient.connect(port);
      expect((await client.send(bytes).response()).status).toBe(status);
      await client.closed;
      client.destroy();
    }
    expect(backend.seen).toEqual([]);
    const socket = open(port, "/", { Origin: "https://app.example" });
    await opened(socket);
    // No browser leaves it out, and who is none could send any.
    await opened(open(port, "/"));
  });

  it("takes an upgrade to another protocol for an ordinary request (62)", async () => {
    const { url: target } = await startBackend("a");
    const { port } = await startGateway({ targets: [target] });
    const bytes =
      "GET /h2c HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n";
    const { status, body } = await exchange(port, bytes);
    expect(status).toBe(200);
    const { headers } = JSON.parse(body.toString());
    expect(headers).not.toHaveProperty("upgrade");
    expect(headers).not.toHaveProperty("http2-settings");
  });

  it("answers 404 where no balancer is mounted, and 502 where no target can be had", async () => {
    const { port } = await startGateway({ targets: [await deadUrl()], mount: "/api" });
    expect((await exchange(port, handshake("/elsewhere"))).status).toBe(404);
    const failed = await exchange(port, handshake("/api/live", "Accept: application/json"));
    expect(failed.status).toBe(502);
    expect(JSON.parse(failed.body.toString())).toMatchObject({ code: "LB_UPSTREAM_CONNECT" });
  });

  it("closes one that is silent for tunnelMs (72)", async () => {
    const { url: target } = await startBackend("a");
    const { port } = await startGateway({ targets: [target], timeouts: { tunnelMs: 100 } });
    const socket = open(port);
    const upgraded = once(socket, "upgrade");
    const closed = once(socket, "close");
    await upgraded;
    expect((await closed)[0]).toBe(1006);
  });

  it("a client that leaves within the handshake leaves nothing behind", async () => {
    let heads = 0;
    let ended = false;
    const silent = await rawBackend(async (connection) => {
      await connection.head();
      heads++;
      await connection.closed;
      ended = true;
    });
    const { port, gateway } = await startGateway({ targets: [`http://127.0.0.1:${silent.port}`] });
    const client = await RawClient.connect(port);
    client.send(handshake("/"));
    await eventually(() => heads === 1, { what: "the handshake at the target" });
    client.destroy();
    await eventually(() => ended, { what: "the target's connection ends" });
    expect(gateway.status().endpoints[0]).toMatchObject({ inFlight: 0, failures: 0 });
    await silent.close();
  });
});
