import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { httpGet } from "../../core/test/support/http-get.ts";
import { frameworks } from "./support/frameworks.ts";

const [{ startGateway }] = frameworks as [(typeof frameworks)[number]];
const folder = mkdtempSync(join(tmpdir(), "lb-tls-"));
const [keyFile, certificateFile] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
const trusted = getCACertificates();

beforeAll(() => {
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const files = ["-keyout", keyFile, "-out", certificateFile];
  const { status, stderr } = spawnSync("openssl", ["req", "-x509", ...algorithm, ...subject, ...files]);
  if (status !== 0) throw new Error(String(stderr));
});
afterAll(() => {
  setDefaultCACertificates(trusted);
  rmSync(folder, { recursive: true });
});

/** A TLS server for `localhost` that answers with the name it was asked for, by TLS and by Host. */
async function startTlsBackend() {
  let connections = 0;
  const options = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
  const server = createServer(options, (request, response) => {
    response.end(`${(request.socket as TLSSocket & { servername: string }).servername} ${request.headers.host}`);
  });
  server.on("secureConnection", () => {
    connections++;
  });
  const webSockets = new WebSocketServer({ server });
  webSockets.on("connection", (socket) => socket.send("secure"));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { port, connections: () => connections };
}

describe("https: targets", () => {
  it("checks the certificate against the target's own name, whatever Host says, on one connection", async () => {
    setDefaultCACertificates([...trusted, readFileSync(certificateFile, "utf8")]);
    const { port, connections } = await startTlsBackend();
    const { url, port: own } = await startGateway({ targets: [`https://localhost:${port}`] });
    for (const host of ["a.example", "b.example", "a.example"]) {
      expect(await httpGet(url, { headers: { Host: host } })).toMatchObject({ status: 200, body: `localhost ${host}` });
    }
    expect(connections()).toBe(1);
    const socket = new WebSocket(`ws://127.0.0.1:${own}/`, { headers: { Host: "a.example" } });
    onTestFinished(() => socket.terminate());
    expect(String(await new Promise((heard) => socket.once("message", heard)))).toBe("secure");
  });

  it("502 for a certificate of another name, or of nobody's", async () => {
    setDefaultCACertificates([...trusted, readFileSync(certificateFile, "utf8")]);
    const { port } = await startTlsBackend();
    const byAddress = await startGateway({ targets: [`https://127.0.0.1:${port}`] });
    // The client cannot make it right by asking for the right name.
    expect((await httpGet(byAddress.url, { headers: { Host: "localhost" } })).status).toBe(502);
    setDefaultCACertificates(trusted);
    const unknown = await startGateway({ targets: [`https://localhost:${port}`] });
    const { status, body } = await httpGet(unknown.url, { headers: { Accept: "application/json" } });
    expect([status, JSON.parse(body).code]).toEqual([502, "LB_UPSTREAM_CONNECT"]);
    const unchecked = await startGateway({ targets: [`https://localhost:${port}`], verifyCertificates: false });
    expect((await httpGet(unchecked.url)).status).toBe(200);
  });
});
