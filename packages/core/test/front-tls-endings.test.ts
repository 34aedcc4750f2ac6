// How connections with TLS end: each way, and while the front drains.
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import { RawClient } from "./support/raw-client.ts";
import { beginHandshake, connectSecure } from "./support/tls-clients.ts";
import { plainRequest, startTlsFront } from "./support/tls-front.ts";

const asking = (path: string, fields = "") => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`;
const upload = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nhalf";
const closing = asking("/", "Connection: close\r\n");

describe("how connections end", () => {
  test("a response that its instance breaks off is reset, and does not look whole", async () => {
    const { httpsPort } = await startTlsFront();
    const client = await connectSecure(httpsPort);
    client.write("GET /dies HTTP/1.1\r\nHost: a.example\r\n\r\n");
    client.resume();
    const [error] = await once(client, "error");
    expect((error as { code: string }).code).toBe("ECONNRESET");
  });

  test("a client that leaves takes its request with it; the last answer ends the connection properly", async () => {
    const { httpsPort, inFlight, endpoints } = await startTlsFront();
    const leaving = await connectSecure(httpsPort);
    leaving.write("GET /half HTTP/1.1\r\nHost: a.example\r\n\r\n");
    await once(leaving, "data");
    leaving.destroy();
    await expect.poll(() => inFlight(endpoints[0]!)).toBe(0);
    const last = await connectSecure(httpsPort);
    last.write("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
    expect(await text(last)).toMatch(/^HTTP\/1\.1 200[\s\S]*"proto":"https"/);
  });

  test.each([
    ["nothing was asked for: without an answer", { keepAliveMs: 150 }, "", { head: "", end: "ended" }],
    ["half a head: 408", { headersMs: 150 }, "GET / HT", { head: "HTTP/1.1 408", end: "ended" }],
    ["half a body: 408", { bodyIdleMs: 150 }, upload, { head: "HTTP/1.1 408", end: "ended" }],
    ["no request at all: 400", {}, "NONSENSE\r\n\r\n", { head: "HTTP/1.1 400", end: "ended" }],
    ["no answer: 504", { responseMs: 150 }, asking("/never"), { head: "HTTP/1.1 504", end: "ended" }],
    ["an answer that does not go on", { responseIdleMs: 150 }, asking("/half"), { head: "HTTP/1.1 200", end: "reset" }],
  ])("%s", async (_, timeouts, sent, seen) => {
    const { httpsPort } = await startTlsFront({}, { timeouts });
    const client = await connectSecure(httpsPort);
    client.write(sent);
    expect(await seenBy(client)).toEqual(seen);
  });

  test("a client that stays after its last answer is closed", async () => {
    const { front, httpsPort } = await startTlsFront({}, { timeouts: { lingerMs: 150 } });
    const client = await connectSecure(httpsPort);
    client.allowHalfOpen = true;
    client.write(closing);
    await once(client.resume(), "end");
    expect(front.connections).toBe(1);
    await expect.poll(() => front.connections).toBe(0);
  });

  test("a client that reads nothing is closed", async () => {
    const { httpsPort, inFlight, endpoints } = await startTlsFront({}, { timeouts: { writeIdleMs: 150 } });
    const client = await connectSecure(httpsPort);
    client.pause();
    client.write(asking("/endless"));
    await expect.poll(() => inFlight(endpoints[0]!)).toBe(1);
    await expect.poll(() => inFlight(endpoints[0]!)).toBe(0);
    expect(await seenBy(client)).toEqual({ head: "HTTP/1.1 200", end: "ended" });
  });

  test("a tunnel whose app resets it, and one on which nothing happens", async () => {
    const { httpsPort } = await startTlsFront({}, { timeouts: { tunnelMs: 300 } });
    for (const path of ["/reset", "/idle"]) {
      const client = await connectSecure(httpsPort);
      client.write(asking(path, "Connection: Upgrade\r\nUpgrade: own\r\n"));
      expect(await seenBy(client)).toEqual({ head: "HTTP/1.1 101", end: "ended" });
    }
  });

  test("limits hold over both ports, and their refusals are answers", async () => {
    const { httpsPort, port } = await startTlsFront({}, { limits: { maxConnections: 1 } });
    await RawClient.ofTest(port);
    expect(await seenBy(await connectSecure(httpsPort))).toEqual({ head: "HTTP/1.1 503", end: "ended" });
  });
});

describe("while the front drains", () => {
  test.each(["quiesce", "close"] as const)(
    "%s: a handshake under way ends, and its connection's first answer is the last",
    async (how) => {
      const { front, httpsPort } = await startTlsFront();
      const slow = await beginHandshake(httpsPort);
      const held = await connectSecure(httpsPort);
      held.write(plainRequest);
      await once(held, "data");
      let over = false;
      const ended = front[how](10_000).then(() => {
        over = true;
      });
      await expect.poll(() => front.draining).toBe(true);
      held.write(plainRequest);
      expect(String((await once(held, "data"))[0])).toMatch(/\r\nConnection: close\r\n/i);
      await once(held, "close");
      expect(over).toBe(false);
      const client = await slow.goOn();
      client.write(plainRequest);
      expect(await text(client)).toMatch(/^HTTP\/1\.1 200[\s\S]*\r\nConnection: close\r\n[\s\S]*"proto":"https"/i);
      await ended;
    },
  );

  test("one that asks for nothing after its handshake is closed as any that is idle", async () => {
    const { front, httpsPort } = await startTlsFront();
    const slow = await beginHandshake(httpsPort);
    const ended = front.quiesce(10_000);
    await expect.poll(() => front.draining).toBe(true);
    const client = await slow.goOn();
    client.resume();
    await once(client, "close");
    await ended;
  });

  test("who does not go on is cut at the end of the grace, or at the time-out", async () => {
    const { front, httpsPort } = await startTlsFront();
    const slow = await beginHandshake(httpsPort);
    await front.close(200);
    await slow.closed;
    const impatient = await startTlsFront({ handshakeTimeoutMs: 300 });
    const late = await beginHandshake(impatient.httpsPort);
    await impatient.front.quiesce(10_000);
    await late.closed;
    expect(impatient.failures).toEqual(["timeout"]);
  });
});

/** What a client gets until its connection ends, and how that is. */
async function seenBy(client: TLSSocket) {
  const got: Buffer[] = [];
  let end = "ended";
  client.on("data", (bytes: Buffer) => got.push(bytes)).resume();
  client.on("error", ({ code }: NodeJS.ErrnoException) => {
    end = code === "ECONNRESET" ? "reset" : `${code}`;
  });
  await new Promise((resolve) => client.once("close", resolve));
  return { head: Buffer.concat(got).toString("latin1").slice(0, 12), end };
}
