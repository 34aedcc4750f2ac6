// RFC 9110 §7.8: a server ignores an offer to upgrade that it does not take. Node gives an offer to the app's `upgrade`
// listeners if there are any; where there is none, the request is one as any other.
import { describe, expect, it } from "vitest";
import { startPrimary } from "./support/primary-process.ts";
import { RawClient } from "./support/raw-client.ts";

const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const offers = {
  "a protocol of somebody's own": "Connection: Upgrade\r\nUpgrade: own\r\n",
  "a WebSocket": `Connection: Upgrade\r\nUpgrade: websocket\r\n${key}`,
  "h2c as curl --http2 offers it":
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
} as const;

function requestWith(offer: string, path = "/offer"): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n${offer}\r\n`;
}

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  const start = async (options: object = {}) => {
    const env = { LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode, instances: 1, ...options }) };
    const { primary, up } = await startPrimary("upgrades.ts", { env });
    return { primary, sites: { "the public port": up.port, "the instance's own port": up.instances[0]!.port } };
  };
  const clientOf = async (port: number) => {
    const client = await RawClient.ofTest(port);
    return client;
  };

  it("an app without a listener answers, and its connections go on", async () => {
    const { primary, sites } = await start();
    for (const [site, port] of Object.entries(sites)) {
      const client = await clientOf(port);
      for (const [name, offer] of Object.entries(offers)) {
        const told = `${name} on ${site}`;
        const { status, headers, body } = await client.send(requestWith(offer)).response();
        expect([status, `${body}`, headers["upgrade"]], told).toEqual([200, "GET /offer ", undefined]);
        expect(`${(await client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n").response()).body}`).toBe("GET /next ");
      }
      const posted = `POST / HTTP/1.1\r\nHost: x\r\n${offers["h2c as curl --http2 offers it"]}Content-Length: 4\r\n\r\nbody`;
      expect(`${(await client.send(posted).response()).body}`).toBe("POST / body");
      client.socket.end();
      await client.closed;
    }
    await primary.statusThat(({ instances }) => instances[0]!.inFlight === 0);
    // Nothing that was offered is waited for.
    const before = performance.now();
    await primary.close();
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  it("a listener that comes late is given offers, until it goes", async () => {
    const { sites } = await start();
    for (const port of Object.values(sites)) {
      const client = await clientOf(port);
      await client.send("GET /take HTTP/1.1\r\nHost: x\r\n\r\n").response();
      expect(await client.send(requestWith(offers["a protocol of somebody's own"])).response()).toMatchObject({
        status: 101,
      });
      await client.closed;
      expect(`${client.pending}`).toBe("taken");
      const next = await clientOf(port);
      await next.send("GET /leave HTTP/1.1\r\nHost: x\r\n\r\n").response();
      expect(await next.send(requestWith(offers["a protocol of somebody's own"])).response()).toMatchObject({
        status: 200,
      });
    }
  });

  it("HTTP/2 in the clear is no tunnel, whoever listens for upgrades", async () => {
    const { sites } = await start();
    const client = await clientOf(sites["the public port"]);
    for (let turn = 0; turn < 2; turn++) {
      await client.send("GET /take HTTP/1.1\r\nHost: x\r\n\r\n").response();
      const { status, body } = await client.send(requestWith(offers["h2c as curl --http2 offers it"])).response();
      expect([status, `${body}`]).toEqual([200, "GET /offer "]);
    }
  });
});
