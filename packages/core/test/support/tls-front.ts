import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { CertificateStore } from "../../src/front/tls/certificate-store.ts";
import { type HttpsOptions, httpsSchema } from "../../src/options/https-options.ts";
import { parseOptions } from "../../src/options/validation.ts";
import { testCertificate } from "./test-certificate.ts";
import { startFront, type TestFrontOptions } from "./test-front.ts";

/** An app behind a front with TLS; it answers what it knows of the request. */
export async function startTlsFront(
  options: Partial<HttpsOptions> = {},
  { settings, ...more }: Partial<TestFrontOptions> = {},
) {
  const app = createServer((request, response) => {
    if (request.url === "/half") {
      response.writeHead(200, { "Content-Length": 100_000 }).write("x".repeat(70_000));
      return;
    }
    if (request.url === "/never") return;
    if (request.url === "/endless") {
      const more = () => {
        while (response.write("x".repeat(65_536)));
        response.once("drain", more);
      };
      more();
      return;
    }
    if (request.url === "/dies") {
      response.writeHead(200, { "Content-Length": 100_000 }).write("x".repeat(70_000), () => request.socket.destroy());
      return;
    }
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on("end", () => {
      const { "x-forwarded-proto": proto, "x-forwarded-port": port, host } = request.headers;
      response.end(JSON.stringify({ proto, port, host, bytes, encrypted: "encrypted" in request.socket }));
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  app.on("upgrade", (request, socket: Socket, head) => {
    const { url } = request;
    if (url === "/") {
      sockets.handleUpgrade(request, socket, head, (echo) => echo.on("message", (data) => echo.send(data)));
      return;
    }
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n");
    if (url === "/reset") setTimeout(() => socket.resetAndDestroy(), 50);
  });
  app.listen(0, "127.0.0.1");
  await once(app, "listening");
  onTestFinished(() => {
    app.closeAllConnections();
    app.close();
  });
  const certificates = options.certificates ?? [testCertificate(["DNS:a.example", "DNS:*.b.example", "IP:127.0.0.1"])];
  const https = parseOptions(httpsSchema, { port: 0, ...options, certificates }, "https");
  const failures: string[] = [];
  const store = new CertificateStore(https);
  const started = await startFront({
    backends: [(app.address() as AddressInfo).port],
    certificates: store,
    ...more,
    settings: { ...settings, https },
    handshakeFailed: (reason) => failures.push(reason),
  });
  return { ...started, failures, certificates, store };
}

export const plainRequest = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
