// Requests that one worker has another one answer: byte by byte what they would have been there.
import { describe, expect, test } from "vitest";
import type { RawClient, RawResponse } from "./support/raw-client.ts";
import { RelayedClients } from "./support/relayed-clients.ts";

interface Told {
  readonly id: string;
  readonly event: string;
  readonly length: number;
  readonly rawHeaders: readonly string[];
  readonly rawTrailers: readonly string[];
}

function toldBy({ body }: RawResponse): Told {
  return JSON.parse(body.toString()) as Told;
}

/** Reads 1xx responses until another one comes. */
async function responses(client: RawClient, method = "GET"): Promise<RawResponse[]> {
  const read: RawResponse[] = [];
  for (;;) {
    const response = await client.response(method);
    read.push(response);
    if (response.status >= 200) return read;
  }
}

const statuses = (read: readonly RawResponse[]) => read.map(({ status }) => status);
const chunked = "Transfer-Encoding: chunked\r\n";

describe("no request ends a worker", () => {
  test("Trailer without a chunked body; Trailer in a response to HEAD and to HTTP/1.0", async () => {
    const clients = await RelayedClients.start();
    const named = await clients.relayed("GET /who HTTP/1.1", "Trailer: X-Sum\r\n");
    expect(toldBy(await named.response()).id).toBe("2");
    const head = await clients.relayed("HEAD /trailers HTTP/1.1");
    expect((await head.response("HEAD")).status).toBe(200);
    const old = await clients.relayed("GET /trailers HTTP/1.0");
    expect((await old.response()).body.toString()).toBe("body");
    expect(await clients.unharmed()).toBe(true);
  });

  test("clients that reset their connection while a request or an upgrade is about to be relayed", async () => {
    const clients = await RelayedClients.start();
    const leaving = await Promise.all(Array.from({ length: 40 }, () => clients.at("1")));
    for (const [n, client] of leaving.entries()) {
      const fields = n % 2 === 0 ? "" : "Connection: Upgrade\r\nUpgrade: echo\r\n";
      client.socket.write(Buffer.from(clients.request("GET /who HTTP/1.1", fields)));
      client.socket.resetAndDestroy();
    }
    await expect
      .poll(async () => (await clients.primary.status()).instances.map(({ inFlight }) => inFlight))
      .toEqual([0, 0]);
    expect(await clients.unharmed()).toBe(true);
  });

  test("a worker that dies in the middle, before and after the head of its response", async () => {
    const clients = await RelayedClients.start();
    const [waiting, begun] = [
      await clients.relayed("POST /who HTTP/1.1", "Content-Length: 10\r\n", "12345"),
      await clients.relayed("GET /head-first HTTP/1.1"),
    ];
    await begun.until(() => begun.pending.includes("\r\n\r\n"));
    const { instances } = await clients.primary.status();
    process.kill(instances.find(({ id }) => id === 2)!.pid!, "SIGKILL");
    expect((await waiting.response()).status).toBe(502);
    await begun.closed;
    expect(begun.pending.toString()).not.toContain("\r\n0\r\n\r\n");
    const { instances: after } = await clients.primary.status();
    expect(after.find(({ id }) => id === 1)!.pid).toBe(instances.find(({ id }) => id === 1)!.pid);
  });
});

describe.each(["in the clear", "over TLS"] as const)("what passes, %s", (way) => {
  test("trailers both ways, 103, and octets above 127 as they were", async () => {
    const clients = await RelayedClients.start({}, { way });
    const response = await clients.relayed("GET /trailers HTTP/1.1");
    await response.until(() => response.pending.includes("\r\n\r\n0\r\n") || response.pending.includes("42\r\n\r\n"));
    const text = response.pending.toString("latin1");
    expect(text).toContain("\r\nTrailer: X-Sum\r\n");
    expect(text).toContain("\r\nX-Octets: \xe4\xff\r\n");
    expect(text).toContain("\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n");
    expect(text).toMatch(/\r\n0\r\nX-Sum: 42\r\n\r\n$/);

    const request = await clients.relayed(
      "POST /who HTTP/1.1",
      `${chunked}Trailer: X-End\r\nX-Octets: \xe4\xff\r\n`,
      "5\r\nhello\r\n0\r\nX-End: \xfc\r\n\r\n",
    );
    const told = toldBy(await request.response());
    expect(told).toMatchObject({ id: "2", length: 5, rawTrailers: ["X-End", "\xfc"] });
    expect(told.rawHeaders.join("\n")).toContain("Trailer\nX-End\nX-Octets\n\xe4\xff");

    const hints = await responses(await clients.relayed("GET /hints HTTP/1.1"));
    expect(statuses(hints)).toEqual([103, 200]);
    expect(hints[0]!.head).toContain("</b.js>; rel=preload");
    expect(statuses(await responses(await clients.relayed("GET /hints HTTP/1.0")))).toEqual([200]);
  });

  test("the head of a response at once, before its body", async () => {
    const clients = await RelayedClients.start({}, { way });
    const client = await clients.relayed("GET /head-first HTTP/1.1");
    await client.until(() => client.pending.includes("\r\n\r\n"));
    expect(client.pending.toString()).toMatch(/^HTTP\/1.1 200 /);
  });

  test("one 100 Continue, none to HTTP/1.0, whoever says it", { timeout: 60_000 }, async () => {
    for (const env of [{}, { LB_TEST_CONTINUE: "yes" }] as Record<string, string>[]) {
      const clients = await RelayedClients.start({}, { env, way });
      const event = env["LB_TEST_CONTINUE"] === undefined ? "request" : "checkContinue";
      const fields = "Expect: 100-continue\r\nContent-Length: 4\r\nX-Octets: \xe4\xff\r\n";
      const client = await clients.relayed("POST /who HTTP/1.1", fields);
      expect((await client.response()).status).toBe(100);
      const answers = await responses(client.send("body"));
      expect(statuses(answers)).toEqual([200]);
      const told = toldBy(answers[0]!);
      expect(told).toMatchObject({ id: "2", event, length: 4 });
      expect(told.rawHeaders).toContain("\xe4\xff");
      expect(told.rawHeaders).toContain("100-continue");

      const old = await clients.relayed("POST /who HTTP/1.0", fields, "body");
      const [answer, ...more] = await responses(old);
      expect([toldBy(answer!), more]).toMatchObject([{ id: "2", event: "request", length: 4 }, []]);
      if (event === "request") continue;
      const refused = await clients.relayed("POST /refuse HTTP/1.1", fields);
      expect(statuses(await responses(refused))).toEqual([413]);
    }
  });

  test("a response to an upload that is not at its end: the connection goes on", async () => {
    const clients = await RelayedClients.start({}, { way });
    const client = await clients.relayed("POST /refuse HTTP/1.1", "Content-Length: 1000000\r\n", "the beginning");
    expect((await client.response()).status).toBe(413);
    client.send(Buffer.alloc(1_000_000 - "the beginning".length));
    client.send(clients.request("GET /who HTTP/1.1"));
    expect(toldBy(await client.response()).id).toBe("2");
    expect(await clients.unharmed()).toBe(true);
  });

  test("pipelined requests in their order, and large bodies to slow clients", async () => {
    const clients = await RelayedClients.start({}, { way });
    const client = await clients.at("1");
    client.socket.pause();
    client.send(
      clients.request("GET /large HTTP/1.1") +
        clients.request("POST /who HTTP/1.1", "Content-Length: 3\r\n", "abc") +
        `GET /who HTTP/1.1\r\nHost: x\r\nCookie: ${clients.cookies.get("1")}\r\n\r\n` +
        clients.request("GET /status?code=204 HTTP/1.1"),
    );
    client.socket.resume();
    expect((await client.response()).body).toHaveLength(3_000_000);
    expect(toldBy(await client.response())).toMatchObject({ id: "2", length: 3 });
    expect(toldBy(await client.response())).toMatchObject({ id: "1", length: 0 });
    expect((await client.response()).status).toBe(204);
  });
});

describe("an upgrade", () => {
  const upgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

  test("opens a tunnel when it is taken", async () => {
    const clients = await RelayedClients.start();
    const client = await clients.relayed("GET /socket HTTP/1.1", upgrade);
    expect((await client.response()).status).toBe(101);
    // "hi", masked with zeros.
    client.send(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
    expect((await client.take(7)).subarray(2).toString()).toBe("2: hi");
  });

  test("is a tunnel of both instances: it counts, and a drain of the first ends it as a WebSocket", async () => {
    const clients = await RelayedClients.start({ drainTimeoutMs: 1_500 });
    const client = await clients.relayed("GET /socket HTTP/1.1", upgrade);
    expect((await client.response()).status).toBe(101);
    const inFlight = async () => (await clients.primary.status()).instances.map(({ inFlight: open }) => open);
    await expect.poll(inFlight).toEqual([1, 0]);
    const before = performance.now();
    const restarted = clients.primary.operate("restart", 1);
    // 1012, service restart.
    expect([...(await client.take(4))]).toEqual([0x88, 0x02, 1012 >> 8, 1012 & 0xff]);
    expect(performance.now() - before).toBeGreaterThan(1_400);
    client.destroy();
    await restarted;
  });

  test("that is not taken is answered, and opens no way past the gate for what follows", async () => {
    const clients = await RelayedClients.start({ allowedHosts: ["x"] });
    const client = await clients.relayed("GET /no-socket HTTP/1.1", upgrade);
    client.send("GET /who HTTP/1.1\r\nHost: evil\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n");
    expect((await client.response()).body.toString()).toBe("no");
    await client.closed;
    expect(client.pending.toString()).toBe("");
    expect(await clients.unharmed()).toBe(true);
  });
});
