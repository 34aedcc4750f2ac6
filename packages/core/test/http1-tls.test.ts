import { spawn } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { Http1Transport } from "../src/front/transport/http1-transport.ts";
import { systemClock } from "../src/model/clock.ts";
import type { Http1Pool, UpstreamTls } from "../src/model/http1-reach.ts";
import type { UntrustedError } from "../src/tls/untrusted.ts";
import { backendAuthority, dns, loopback, loopback6 } from "./support/backend-certificates.ts";
import { eventually } from "./support/eventually.ts";
import { ManualClock } from "./support/manual-clock.ts";
import { get, TestClient, TestExchange } from "./support/test-exchange.ts";

const authority = backendAuthority();

interface Served {
  readonly port: number;
  readonly handshakes: readonly TLSSocket[];
  readonly resumed: readonly boolean[];
}

/** Answers "secret" to whoever has made a handshake. */
async function serve(options: TlsOptions, host = "127.0.0.1"): Promise<Served> {
  const app: Server = createServer((_request, response) => response.end("secret"));
  const handshakes: TLSSocket[] = [];
  const resumed: boolean[] = [];
  const sockets = new Set<Socket>();
  const server = createTlsServer({ allowHalfOpen: true, ...options }, (socket) => {
    handshakes.push(socket);
    resumed.push(socket.isSessionReused());
    socket.on("error", () => {});
    app.emit("connection", socket);
  });
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.listen(0, host);
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, handshakes, resumed };
}

const opened: Http1Transport[] = [];
afterEach(() => {
  for (const transport of opened.splice(0)) transport.close();
});

function reaching(
  port: number,
  tls: Partial<UpstreamTls> = {},
  {
    host = "127.0.0.1",
    pool = {},
    clock = systemClock,
  }: { host?: string; pool?: Partial<Http1Pool>; clock?: typeof systemClock } = {},
) {
  const untrusted: UntrustedError[] = [];
  const address = { kind: "tcp", host, port } as const;
  const transport = new Http1Transport({
    endpoint: { id: `https://${host}:${port}`, slot: 0, incarnation: 1, weight: 1, address },
    reach: { address, tls: { servername: "127.0.0.1", ca: [authority.ca], verify: true, ...tls }, pool },
    clock,
    untrusted: (error) => untrusted.push(error),
  });
  opened.push(transport);
  return { transport, untrusted };
}

/** Asks once, and gives the connection back. */
async function ask(transport: Http1Transport): Promise<TestExchange> {
  const exchange = new TestExchange(transport, new TestClient());
  exchange.stream.write(get("/"));
  await eventually(() => exchange.failure ?? exchange.body, { what: "an answer or a failure" });
  if (exchange.failure === undefined) exchange.release();
  return exchange;
}

const bodyOf = async (transport: Http1Transport) => (await ask(transport)).body?.toString();

test("BAD-INPUTS 191: an endpoint with a bad certificate gets nothing, and why is told", async () => {
  const cases: readonly (readonly [string, TlsOptions, Partial<UpstreamTls>, RegExp])[] = [
    ["expired", authority.issue([loopback], { from: -9, to: -2 }), {}, /^The certificate of 127\.0\.0\.1 has expired/],
    ["not-yet-valid", authority.issue([loopback], { from: 2 }), {}, /not valid yet/],
    ["other-name", authority.issue([dns("other.example")]), {}, /is not for 127\.0\.0\.1 \(ERR_TLS/],
    ["other-name", authority.issue([loopback]), { servername: "api.internal" }, /is not for api\.internal/],
    ["unknown-authority", backendAuthority("nobody").issue([loopback]), {}, /give the certificate of its authority/],
    ["other-key", authority.issue([loopback]), { pins: [`${"A".repeat(43)}=`] }, /sha256\/\/\S{44}$/],
    [
      "no-agreement",
      { ...authority.issue([loopback]), maxVersion: "TLSv1.1", minVersion: "TLSv1" },
      {},
      /may be plain HTTP, an old version/,
    ],
  ];
  for (const [reason, options, tls, message] of cases) {
    const { port, handshakes } = await serve(options);
    const { transport, untrusted } = reaching(port, tls);
    const { failure } = await ask(transport);
    expect(failure, reason).toMatchObject({ reason: "connect", sent: false, cause: { code: "LB_UNTRUSTED", reason } });
    expect(failure?.cause?.message).toMatch(message);
    expect(untrusted).toEqual([failure?.cause]);
    for (const socket of handshakes) expect(socket.bytesRead).toBe(0);
  }
});

test("BAD-INPUTS 191: without an authority of its own, an endpoint needs one that Node.js trusts", async () => {
  const { port } = await serve(authority.issue([loopback]));
  const address = { kind: "tcp", host: "127.0.0.1", port } as const;
  const transport = new Http1Transport({
    endpoint: { id: "a", slot: 0, incarnation: 1, weight: 1, address },
    reach: { address, tls: { servername: "127.0.0.1", verify: true } },
    clock: systemClock,
  });
  opened.push(transport);
  expect((await ask(transport)).failure).toMatchObject({ cause: { reason: "unknown-authority" } });
});

test("BAD-INPUTS 191: an endpoint that speaks plain HTTP where TLS was said is not spoken to in the clear", async () => {
  const heard: Buffer[] = [];
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => heard.push(bytes));
    socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close());
  const { transport } = reaching((server.address() as AddressInfo).port);
  expect((await ask(transport)).failure).toMatchObject({ reason: "connect", cause: { reason: "no-agreement" } });
  expect(Buffer.concat(heard).toString("latin1")).not.toContain("HTTP/1.1");
});

test("an endpoint is known by its pinned key, and by that alone where nothing else is to be verified", async () => {
  const served = backendAuthority("nobody").issue([dns("whatever")]);
  const key = new X509Certificate(served.cert).publicKey.export({ type: "spki", format: "der" });
  const pin = createHash("sha256").update(key).digest("base64");
  const { port } = await serve(served);
  expect(await bodyOf(reaching(port, { pins: [pin], verify: false }).transport)).toBe("secret");
  expect(await bodyOf(reaching(port, { verify: false }).transport)).toBe("secret");
  const other = reaching(port, { pins: [`${"B".repeat(43)}=`], verify: false });
  expect((await ask(other.transport)).failure).toMatchObject({ cause: { reason: "other-key" } });
});

test("the host is asked for by name, an address is not; HTTP/1.1 alone is offered", async () => {
  const { port, handshakes } = await serve({
    ...authority.issue([dns("api.internal"), loopback]),
    ALPNProtocols: ["h2", "http/1.1"],
  });
  expect(await bodyOf(reaching(port, { servername: "api.internal" }).transport)).toBe("secret");
  expect(await bodyOf(reaching(port).transport)).toBe("secret");
  const names = handshakes.map((socket) => (socket as unknown as { servername: unknown }).servername);
  expect(names).toEqual(["api.internal", false]);
  expect(handshakes.map(({ alpnProtocol }) => alpnProtocol)).toEqual(["http/1.1", "http/1.1"]);
});

/** OpenSSL's own server, which wants a certificate by `ca` of whoever asks, and says so where it got none. */
async function serveStrictly(ca: string, protocol: "-tls1_2" | "-tls1_3"): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "lb-strict-"));
  const { cert, key } = authority.issue([loopback]);
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const own = ["-cert", file("cert.pem", cert), "-key", file("key.pem", key)];
  const wanted = ["-CAfile", file("ca.pem", ca), "-Verify", "1", "-verify_return_error"];
  const server = spawn("openssl", ["s_server", "-accept", "127.0.0.1:0", "-www", protocol, ...own, ...wanted]);
  let said = "";
  server.stdout.on("data", (bytes: Buffer) => {
    said += bytes;
  });
  onTestFinished(async () => {
    if (server.kill("SIGKILL")) await once(server, "exit");
    rmSync(directory, { recursive: true, force: true });
  });
  return Number(await eventually(() => /ACCEPT 127\.0\.0\.1:(\d+)/.exec(said)?.[1], { what: "openssl listens" }));
}

test("an endpoint that asks for a certificate gets ours; where there is none, or a wrong one, why is told", async () => {
  const clients = backendAuthority("clients");
  for (const protocol of ["-tls1_2", "-tls1_3"] as const) {
    const port = await serveStrictly(clients.ca, protocol);
    const good = new TestExchange(reaching(port, clients.issue([])).transport, new TestClient());
    good.stream.write(get("/"));
    await eventually(() => good.text.includes("200 ok"), { what: "openssl's page" });
    good.destroy();
    for (const tls of [{}, backendAuthority("strangers").issue([])]) {
      const { transport, untrusted } = reaching(port, tls);
      const { failure } = await ask(transport);
      expect(failure).toMatchObject(protocol === "-tls1_2" ? { reason: "connect", sent: false } : { reason: "reset" });
      // Before TLS 1.3, who has none is told no more than that there is no agreement.
      const reason = protocol === "-tls1_2" && !("cert" in tls) ? "no-agreement" : "refused-us";
      expect(untrusted).toMatchObject([{ reason }]);
    }
  }
});

test("sessions are resumed, for an hour after what they began with was verified", async () => {
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const { port, handshakes, resumed } = await serve({ ...authority.issue([loopback]), maxVersion });
    const clock = new ManualClock();
    const { transport } = reaching(port, {}, { clock, pool: { maxIdle: 0 } });
    for (let n = 0; n < 3; n++) {
      expect(await bodyOf(transport)).toBe("secret");
      await eventually(() => handshakes.length === n + 1 && handshakes[n]!.destroyed, { what: "the end" });
    }
    clock.advance(3_600_000);
    expect(await bodyOf(transport)).toBe("secret");
    expect(resumed).toEqual([false, true, true, false]);
  }
});

test("a certificate that was replaced by a bad one is found out with the next handshake", async () => {
  const good = authority.issue([loopback]);
  const { port } = await serve(good);
  const { transport } = reaching(port, {}, { pool: { maxIdle: 0 } });
  expect(await bodyOf(transport)).toBe("secret");
  // Another server takes its place, which has no such sessions.
  opened.splice(0);
  const { port: otherPort } = await serve(backendAuthority("nobody").issue([loopback]));
  expect((await ask(reaching(otherPort).transport)).failure).toMatchObject({ cause: { reason: "unknown-authority" } });
});

test("a key that is none fails each connection, and nothing else", async () => {
  const { port } = await serve(authority.issue([loopback]));
  const { failure } = await ask(reaching(port, { cert: authority.issue([]).cert, key: "none" }).transport);
  expect(failure).toMatchObject({
    reason: "connect",
    sent: false,
    cause: { code: expect.stringMatching(/^ERR_OSSL/) },
  });
});

test("an endpoint that begins no handshake has failed in time", async () => {
  const server = createTcpServer((socket) => void socket.on("error", () => {}));
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close());
  const { transport } = reaching((server.address() as AddressInfo).port, {}, { pool: { connectTimeoutMs: 100 } });
  const { failure } = await ask(transport);
  expect(failure).toMatchObject({ reason: "connect", sent: false });
  expect(failure?.cause?.message).toMatch(/timeout: the handshake to 127\.0\.0\.1:\d+ took over 100 ms/);
});

test("IPv6 addresses are hosts like others, and a name is looked up", async () => {
  const { port } = await serve(authority.issue([loopback6]), "::1");
  expect(await bodyOf(reaching(port, { servername: "::1" }, { host: "::1" }).transport)).toBe("secret");
  const local = await serve(authority.issue([dns("localhost")]));
  const byName = reaching(local.port, { servername: "localhost" }, { host: "localhost" });
  expect(await bodyOf(byName.transport)).toBe("secret");
});

test("what is renewed counts for connections that are made from then on, and those before serve nobody else", async () => {
  const clients = backendAuthority("clients");
  const [before, after] = [clients.issue([]), clients.issue([])];
  const { port, handshakes } = await serve({ ...authority.issue([loopback]), requestCert: true, ca: clients.ca });
  const { transport } = reaching(port, before);
  const shown = () => handshakes.map((socket) => socket.getPeerX509Certificate()?.serialNumber);
  const [first, second] = [before, after].map(({ cert }) => new X509Certificate(cert).serialNumber);
  const tls: UpstreamTls = { servername: "127.0.0.1", ca: [authority.ca], verify: true, ...before };
  await ask(transport);
  transport.renewed(tls);
  await ask(transport);
  expect(shown()).toEqual([first]);
  const during = new TestExchange(transport, new TestClient());
  during.stream.write(get("/"));
  await eventually(() => during.body, { what: "an answer" });
  transport.renewed({ ...tls, ...after });
  during.release();
  expect(await bodyOf(transport)).toBe("secret");
  expect(await bodyOf(transport)).toBe("secret");
  expect([handshakes.length, shown().at(-1)]).toEqual([2, second]);
  // What was believed is not believed by its session either.
  transport.renewed({ ...tls, ca: [backendAuthority("others").ca] });
  expect((await ask(transport)).failure).toMatchObject({ cause: { reason: "unknown-authority" } });
});
