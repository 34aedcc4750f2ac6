import { describe, expect, it } from "vitest";
import { exchange } from "../../core/test/support/raw-client.ts";
import { startBackend } from "./support/backend.ts";
import { frameworks } from "./support/frameworks.ts";

describe.each(frameworks)("$name: forwarding", ({ startGateway }) => {
  async function relayed(lines: readonly string[], trustProxy = false) {
    const backend = await startBackend("a");
    const { port } = await startGateway({ targets: [backend.url], trustProxy });
    const { status } = await exchange(port, ["GET / HTTP/1.1", "Host: app.example", ...lines, "", ""].join("\r\n"));
    return { status, port, headers: backend.seen[0]?.headers ?? {} };
  }
  const inbound = [
    "X-Forwarded-For: 203.0.113.9, 198.51.100.7",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: shop.example",
    "X-Forwarded-Port: 443",
    "X-Real-IP: 203.0.113.9",
    "X-Forwarded-Prefix: /shop",
  ];

  it("overwrites what an untrusted peer claims (91, 92)", async () => {
    const { headers, port } = await relayed(inbound);
    expect(headers).toMatchObject({
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "app.example",
      "x-forwarded-port": String(port),
      "x-real-ip": "127.0.0.1",
    });
    expect(headers).not.toHaveProperty("x-forwarded-prefix");
  });

  it("keeps what a trusted peer says, and appends its address", async () => {
    const { headers } = await relayed(inbound, true);
    expect(headers).toMatchObject({
      "x-forwarded-for": "203.0.113.9, 198.51.100.7, 127.0.0.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "shop.example",
      "x-forwarded-port": "443",
      "x-forwarded-prefix": "/shop",
    });
  });

  it("drops Forwarded and aliases with underscores (45, 93)", async () => {
    const { headers } = await relayed(["Forwarded: for=203.0.113.9", "X_Forwarded_For: 203.0.113.9"], true);
    expect(headers).not.toHaveProperty("forwarded");
    expect(headers).not.toHaveProperty("x_forwarded_for");
  });

  it("takes nominated fields off before it adds its own (94)", async () => {
    const { headers } = await relayed(["Connection: x-forwarded-for, x-secret", "X-Secret: 1", ...inbound], true);
    expect(headers["x-forwarded-for"]).toBe("127.0.0.1");
    expect(headers).not.toHaveProperty("x-secret");
  });

  it.each(["[ab..cd::1]", "a.example:99999", "a:b@c.example", "a b"])(
    "refuses a Host that is none: %s",
    async (host) => {
      const backend = await startBackend("a");
      const { port } = await startGateway({ targets: [backend.url] });
      const { status } = await exchange(port, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect([status, backend.seen]).toEqual([400, []]);
    },
  );

  it.each(["host", "content-length", "Transfer-Encoding"])("refuses Connection: %s (95)", async (name) => {
    const { status, headers } = await relayed([`Connection: ${name}`]);
    expect(status).toBe(400);
    expect(headers).toEqual({});
  });

  it("relays no TRACE (52)", async () => {
    const backend = await startBackend("a");
    const { port } = await startGateway({ targets: [backend.url] });
    const { status, headers } = await exchange(port, "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect([status, backend.seen]).toEqual([405, []]);
    expect(headers["allow"]).toContain("GET");
  });

  it("takes off what ends here (96)", async () => {
    const { headers } = await relayed([
      "Proxy: http://evil.example",
      "Keep-Alive: timeout=5",
      "Proxy-Authorization: Basic x",
      "Proxy-Connection: keep-alive",
      "TE: gzip, trailers",
      "__proto__: data",
    ]);
    expect(Object.keys(headers)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(proxy|keep-alive|proxy-authorization|proxy-connection)$/)]),
    );
    expect(headers["te"]).toBe("trailers");
  });
});
