// A front at a Unix socket, in the clear and with TLS: how connections end there.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { CertificateStore } from "../src/front/tls/certificate-store.ts";
import { httpsSchema } from "../src/options/https-options.ts";
import { parseOptions } from "../src/options/validation.ts";
import { testCertificate } from "./support/test-certificate.ts";
import { startFront } from "./support/test-front.ts";

describe.each([false, true])("encrypted: %s", (encrypted) => {
  async function start(maxConnections = 100) {
    const app = createServer((request, response) => {
      if (request.url === "/dies") {
        response
          .writeHead(200, { "Content-Length": 100_000 })
          .write("x".repeat(70_000), () => request.socket.destroy());
      } else response.end(String(request.headers["x-forwarded-proto"]));
    }).listen(0, "127.0.0.1");
    await once(app, "listening");
    const folder = mkdtempSync(join(tmpdir(), "lb-unix-"));
    onTestFinished(() => {
      rmSync(folder, { recursive: true, force: true });
      app.closeAllConnections();
      app.close();
    });
    const path = join(folder, "http.sock");
    const https = parseOptions(httpsSchema, { port: 0, certificates: [testCertificate(["DNS:a.example"])] }, "https");
    await startFront({
      backends: [(app.address() as AddressInfo).port],
      certificates: new CertificateStore(https),
      limits: { maxConnections },
      settings: {
        https,
        listeners: [{ place: { kind: "unix", path, mode: 0o600 }, encrypted, proxied: false, remedy: "" }],
      },
    });
    return async (): Promise<Socket> => {
      const socket = encrypted
        ? connectTls({ path, servername: "a.example", rejectUnauthorized: false })
        : connect({ path, allowHalfOpen: true });
      onTestFinished(() => void socket.destroy());
      await once(socket, encrypted ? "secureConnect" : "connect");
      return socket;
    };
  }

  const ask = (socket: Socket, target: string) =>
    socket.write(`GET ${target} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`);

  test("a response that its instance breaks off ends short, and the front goes on", async () => {
    const client = await start();
    const cut = await client();
    ask(cut, "/dies");
    const got = await text(cut).catch(() => "");
    expect(got.length).toBeLessThan(100_000);
    const next = await client();
    ask(next, "/");
    expect(await text(next)).toMatch(new RegExp(`^HTTP/1.1 200[\\s\\S]*${encrypted ? "https" : "http"}\n?$`));
  });

  test("one too many is told so", async () => {
    const client = await start(1);
    const first = await client();
    expect(await text(await client())).toMatch(/^HTTP\/1\.1 503/);
    ask(first, "/");
    expect(await text(first)).toMatch(/^HTTP\/1\.1 200/);
  });
});
