// The PROXY protocol at the public ports, by hand and from a real HAProxy, if this machine has one.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { CertificateStore } from "../src/front/tls/certificate-store.ts";
import { httpsSchema } from "../src/options/https-options.ts";
import { parseOptions } from "../src/options/validation.ts";
import { freePorts } from "./support/free-ports.ts";
import { RawClient } from "./support/raw-client.ts";
import { testCertificate } from "./support/test-certificate.ts";
import { startFront, type TestFrontOptions } from "./support/test-front.ts";
import { testListeners } from "./support/test-listeners.ts";
import { handshakeInPieces, proxyHeaderV2 } from "./support/tls-clients.ts";

/** An app behind a front that takes loopback for a proxy of ours. */
async function start(isProxy = true, more: Partial<TestFrontOptions> = {}) {
  const app = createServer((request, response) => {
    const { "x-forwarded-for": client, "x-real-ip": real, "x-forwarded-proto": proto } = request.headers;
    response.end(JSON.stringify({ client, real, proto }));
  }).listen(0, "127.0.0.1");
  await once(app, "listening");
  onTestFinished(() => {
    app.closeAllConnections();
    app.close();
  });
  const https = parseOptions(httpsSchema, { port: 0, certificates: [testCertificate(["IP:127.0.0.1"])] }, "https");
  return startFront({
    backends: [(app.address() as AddressInfo).port],
    ...more,
    certificates: new CertificateStore(https),
    settings: {
      https,
      listeners: testListeners({ https: true, proxied: true }),
      trustsPeer: (address) => isProxy && address === "127.0.0.1",
    },
  });
}

const request = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n";
const line = "PROXY TCP4 192.0.2.7 10.0.0.1 54321 80\r\n";

test("the client is whom the header names, in one piece with the request, and byte by byte; it is no proxy of ours", async () => {
  const { port } = await start();
  const whole = await RawClient.ofTest(port);
  const { body } = await whole.send(line + request).response();
  expect(JSON.parse(body.toString())).toEqual({ client: "192.0.2.7", real: "192.0.2.7", proto: "http" });
  const again = await whole.send(request).response();
  expect(JSON.parse(again.body.toString())).toMatchObject({ client: "192.0.2.7" });
  const pieces = await RawClient.ofTest(port);
  pieces.socket.setNoDelay(true);
  for (const byte of line + request) pieces.send(byte);
  expect(JSON.parse((await pieces.response()).body.toString())).toMatchObject({ client: "192.0.2.7" });
  const unknown = await RawClient.ofTest(port);
  const own = await unknown.send(`PROXY UNKNOWN\r\n${request}`).response();
  expect(JSON.parse(own.body.toString())).toMatchObject({ client: "6.6.6.6, 127.0.0.1" });
});

test("before TLS, too", async () => {
  const { httpsPort } = await start();
  const raw = await RawClient.ofTest(httpsPort);
  raw.send(line);
  const { socket } = raw;
  socket.removeAllListeners("data");
  const secure = connectTls({ socket, rejectUnauthorized: false });
  onTestFinished(() => void secure.destroy());
  await once(secure, "secureConnect");
  secure.write(request);
  expect(String((await once(secure, "data"))[0])).toMatch(/\{"client":"192\.0\.2\.7".*"proto":"https"\}/);
});

test.each([1, 7, 100, 1_000])("v2 and a ClientHello of two segments' size, %i bytes at a time", async (size) => {
  const { httpsPort } = await start();
  const { socket, hello } = await handshakeInPieces(httpsPort, proxyHeaderV2, size);
  // X25519MLKEM768.
  expect(hello).toBeGreaterThan(1_460);
  socket.write(request);
  expect(String((await once(socket, "data"))[0])).toMatch(/\{"client":"192\.0\.2\.7".*"proto":"https"\}/);
});

test("BAD-INPUTS 165: from a peer that is no proxy of ours it is no request", async () => {
  const { port } = await start(false);
  const client = await RawClient.ofTest(port);
  expect((await client.send(line + request).response()).status).toBe(400);
  const plain = await RawClient.ofTest(port);
  expect((await plain.send(request).response()).status).toBe(200);
});

test("BAD-INPUTS 166: a proxy without one is closed, at once or when it says nothing, and is not answered", async () => {
  const { port } = await start(true, { timeouts: { headersMs: 300 } });
  const without = await RawClient.ofTest(port);
  await without.send(request).closed;
  const silent = await RawClient.ofTest(port);
  await silent.closed;
  expect([without.pending.length, silent.pending.length]).toEqual([0, 0]);
});

test("limits are by whom it names", async () => {
  const { port } = await start(true, { limits: { maxConnectionsPerAddress: 1 } });
  const of = async (address: string) => {
    const client = await RawClient.ofTest(port);
    return (await client.send(`PROXY TCP4 ${address} 10.0.0.1 1 80\r\n${request}`).response()).status;
  };
  expect([await of("192.0.2.1"), await of("192.0.2.2"), await of("192.0.2.1")]).toEqual([200, 200, 429]);
});

test.each(["send-proxy", "send-proxy-v2"])("behind a real HAProxy with %s", async (how) => {
  const { port } = await start();
  const at = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), "lb-haproxy-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "config");
  writeFileSync(
    file,
    `global
  maxconn 100
defaults
  mode tcp
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen front
  bind 127.0.0.1:${at}
  server lb 127.0.0.1:${port} ${how}
`,
  );
  const haproxy = spawn("haproxy", ["-f", file, "-db"], { stdio: "ignore" });
  onTestFinished(async () => {
    haproxy.kill("SIGKILL");
    if (haproxy.exitCode === null && haproxy.signalCode === null) await once(haproxy, "exit");
  });
  const ask = async () => {
    const client = await RawClient.ofTest(at, { localAddress: "127.0.0.9" });
    return JSON.parse((await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").response()).body.toString()) as object;
  };
  await expect.poll(() => ask().catch(() => "nobody")).toMatchObject({ client: "127.0.0.9" });
});
