// TLS in hand-off mode: instances make the handshakes, with what the primary tells them.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { startPosting } from "./support/posting-clients.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { RawClient } from "./support/raw-client.ts";
import { testAuthority } from "./support/test-authority.ts";
import { testCertificate } from "./support/test-certificate.ts";
import { beginHandshake, connectSecure, handshakeInPieces, openssl, proxyHeaderV2 } from "./support/tls-clients.ts";

const run = promisify(execFile);

interface Told {
  readonly id: string;
  readonly pid: number;
  readonly encrypted: boolean;
  readonly address: string;
  readonly peer?: string;
  readonly env: number;
  readonly headers: Record<string, string>;
}

async function start(https: object = {}, options: object = {}) {
  const certificate = testCertificate(["DNS:a.example", "IP:127.0.0.1"]);
  const primary = new PrimaryProcess("handoff-tls-app.ts", {
    env: {
      LB_TEST_OPTIONS: JSON.stringify({
        port: 0,
        mode: "handoff",
        instances: 2,
        https: { port: 0, certificates: [certificate], ...https },
        ...options,
      }),
    },
  });
  const up = await primary.up();
  return { primary, certificate, port: up.port, httpsPort: up.https!.port, pids: up.instances.map(({ pid }) => pid) };
}

async function ask(client: TLSSocket, fields = "", path = "/"): Promise<{ head: string; told: Told }> {
  client.write(`GET ${path} HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`);
  const [head, body] = String((await once(client, "data"))[0]).split("\r\n\r\n");
  return { head: head!, told: JSON.parse(body!) as Told };
}

const statusOf = async (client: TLSSocket, host: string) => {
  client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return String((await once(client, "data"))[0]).slice(9, 12);
};

test("connections are spread over the instances, and their keys are in nobody's environment", async () => {
  const { httpsPort } = await start();
  const clients = await Promise.all(Array.from({ length: 8 }, () => connectSecure(httpsPort)));
  const told = await Promise.all(clients.map((client) => ask(client)));
  expect(new Set(told.map((one) => one.told.id))).toEqual(new Set(["1", "2"]));
  for (const one of told) expect(one.told).toMatchObject({ encrypted: true, address: "127.0.0.1", env: 0 });
  expect(told[0]!.told.headers["x-forwarded-proto"]).toBe("https");
});

test.each(["-tls1_2", "-tls1_3"])(
  "openssl resumes its session with every instance, and after a reload: %s",
  async (version) => {
    const { primary, httpsPort, pids } = await start();
    const folder = mkdtempSync(join(tmpdir(), "lb-session-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const session = join(folder, "session");
    const named = [version, "-servername", "a.example"];
    expect(await openssl(httpsPort, ...named, "-sess_out", session)).toMatch(/New, TLSv1\.[23]/);
    const seen = new Set<string>();
    const resume = async () => {
      const said = await openssl(httpsPort, ...named, "-sess_in", session);
      expect(said).toMatch(/Reused, TLSv1\.[23]/);
      seen.add(/"pid":(\d+)/.exec(said)![1]!);
    };
    for (let n = 0; n < 4; n++) await resume();
    expect(seen.size).toBe(2);
    await primary.operate("reload", { watchMs: 100 });
    for (let n = 0; n < 4; n++) await resume();
    expect(seen.size).toBe(4);
    for (const pid of pids) expect(seen).toContain(String(pid));
  },
);

test("FAULTS 60: renewed certificates get to the instances; connections that stand go on", async () => {
  const { primary, httpsPort, certificate } = await start();
  const before = await connectSecure(httpsPort);
  await ask(before);
  const next = testCertificate(["DNS:a.example", "DNS:renewed.example"]);
  copyFileSync(next.cert, certificate.cert);
  copyFileSync(next.key, certificate.key);
  await primary.operate("reloadCertificates");
  const clients = await Promise.all(Array.from({ length: 4 }, () => connectSecure(httpsPort)));
  for (const client of clients) expect(client.getPeerCertificate().subjectaltname).toContain("renewed");
  expect((await ask(before)).told.encrypted).toBe(true);
});

test("a reload: who is slow in his handshake, or keeps his connection, hears with an answer that it is the last", async () => {
  const { primary, httpsPort } = await start({}, { instances: 1 });
  const [kept, slow] = [await connectSecure(httpsPort), await beginHandshake(httpsPort)];
  const { told } = await ask(kept);
  const reloading = primary.operate("reload", { watchMs: 50 });
  await primary.statusThat(({ instances }) => instances.length > 1 || instances[0]!.pid !== told.pid);
  for (;;) {
    const { head, told: now } = await ask(kept);
    expect(now.pid).toBe(told.pid);
    if (/^connection: close$/im.test(head)) break;
  }
  const late = await slow.goOn();
  const answer = await ask(late);
  expect([answer.told.pid, answer.head]).toEqual([told.pid, expect.stringMatching(/^connection: close$/im)]);
  await reloading;
});

test("drain(id): kept connections of the instance end with their next answer, new ones are with others, until resume(id)", async () => {
  const { primary, httpsPort } = await start();
  const at = async (wanted: string) => {
    for (;;) {
      const client = await connectSecure(httpsPort);
      if ((await ask(client)).told.id === wanted) return client;
      client.destroy();
    }
  };
  const [first, second] = [await at("1"), await at("2")];
  await primary.operate("drain", 1);
  const last = await ask(first);
  expect([last.told.id, last.head]).toEqual(["1", expect.stringMatching(/^connection: close$/im)]);
  await once(first, "close");
  const stays = await ask(second);
  expect([stays.told.id, stays.head]).toEqual(["2", expect.not.stringMatching(/^connection: close$/im)]);
  for (let n = 0; n < 4; n++) expect((await ask(await connectSecure(httpsPort))).told.id).toBe("2");
  await primary.operate("resume", 1);
  const again = await ask(await at("1"));
  expect(again.head).not.toMatch(/^connection: close$/im);
});

test("a reload, then SIGTERM, under POSTs on kept connections: each is answered, or its connection was not to be had", async () => {
  const { primary, httpsPort, pids } = await start();
  const { ledger, ended } = startPosting({ port: httpsPort, connect: RawClient.connectSecure }, 10);
  await primary.operate("reload", { watchMs: 100 });
  const before = ledger.answered;
  await expect.poll(() => ledger.answered).toBeGreaterThan(before + 50);
  expect((await primary.status()).instances.some(({ pid }) => pids.includes(pid))).toBe(false);
  primary.kill("SIGTERM");
  expect(await primary.exited).toEqual({ code: 0, signal: null });
  await ended;
  expect(ledger).toMatchObject({ unanswered: 0 });
});

test("BAD-INPUTS 120, 124, 125: plain HTTP is 400; strict names; another certificate's host is misdirected", async () => {
  const certificates = [testCertificate(["DNS:a.example"]), testCertificate(["DNS:b.example"])];
  const { httpsPort } = await start({ certificates, strictSni: true });
  const plain = await RawClient.ofTest(httpsPort);
  expect((await plain.send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").response()).status).toBe(400);
  await expect(connectSecure(httpsPort, { servername: "else.example" })).rejects.toThrow();
  const client = await connectSecure(httpsPort);
  expect(await statusOf(client, "a.example")).toBe("200");
  expect(await statusOf(client, "b.example")).toBe("421");
});

test("BAD-INPUTS 127, 128: who says nothing is closed in time, and counts until then", async () => {
  const { primary, httpsPort } = await start(
    { handshakeTimeoutMs: 500, maxHandshakes: 2 },
    { limits: { maxConnections: 100 } },
  );
  const silent = await Promise.all(Array.from({ length: 10 }, () => RawClient.ofTest(httpsPort)));
  await Promise.all(silent.map(({ closed }) => closed));
  await primary.event("handshakes-refused", ({ refused }) => refused > 0);
  const client = await connectSecure(httpsPort);
  await ask(client);
  expect((await primary.status()).instances.every(({ state }) => state === "ready")).toBe(true);
});

test("the app resets a connection, and its client sees no end", async () => {
  const { httpsPort } = await start();
  // Where the reset comes right behind bytes, clients of Node 22 take it for an end themselves (libuv 1.51), encrypted or not.
  const failed = run("curl", ["-sSk", "--http1.1", `https://127.0.0.1:${httpsPort}/reset`]);
  await expect(failed).rejects.toMatchObject({
    code: 56,
    stdout: "half",
    stderr: expect.stringContaining("reset by peer"),
  });
});

test("BAD-INPUTS 132: certificates of clients, which the app sees itself", async () => {
  const authority = testAuthority();
  const { httpsPort } = await start({ clientCertificates: { ca: authority.ca } });
  await expect(connectSecure(httpsPort, { maxVersion: "TLSv1.2" })).rejects.toThrow(/alert/);
  const { told } = await ask(
    await connectSecure(httpsPort, authority.client("/CN=somebody")),
    "Client-Cert: :AAAA:\r\nX-Client-Cert-Subject: CN=root\r\n",
  );
  expect(told.peer).toBe("somebody");
  expect(told.headers).toMatchObject({ "x-client-cert-subject": "CN=somebody" });
  expect(told.headers["client-cert"]).not.toBe(":AAAA:");
});

test("requests of another instance's cookie are relayed to it from the first one on, as encrypted ones", async () => {
  const { httpsPort } = await start({}, { affinity: "cookie" });
  const cookies = new Map<string, string>();
  while (cookies.size < 2) {
    const { head, told } = await ask(await connectSecure(httpsPort));
    cookies.set(told.id, /^set-cookie: ([^;]+);.*; Secure/im.exec(head)![1]!);
  }
  for (const [id, cookie] of cookies) {
    for (let n = 0; n < 3; n++) {
      const client = await connectSecure(httpsPort);
      for (let request = 0; request < 2; request++) {
        const { told } = await ask(client, `Cookie: ${cookie}\r\n`);
        expect(told).toMatchObject({
          id,
          encrypted: true,
          address: "127.0.0.1",
          headers: { "x-forwarded-proto": "https" },
        });
      }
    }
  }
});

test("a PROXY header before the handshake names the client, and the port without TLS redirects", async () => {
  const proxied = { trustedProxies: ["loopback"], proxyProtocol: true, http: "redirect" };
  const { httpsPort, port } = await start({}, proxied);
  for (const together of [true, false]) {
    const raw = connect(httpsPort, "127.0.0.1");
    raw.setNoDelay(true);
    await once(raw, "connect");
    raw.write("PROXY TCP4 192.0.2.7 10.0.0.1 54321 443\r\n");
    if (!together) await new Promise((resolve) => setTimeout(resolve, 50));
    const client = connectTls({ socket: raw, servername: "a.example", rejectUnauthorized: false });
    onTestFinished(() => void client.destroy());
    await once(client, "secureConnect");
    expect((await ask(client)).told).toMatchObject({ address: "192.0.2.7", encrypted: true });
  }
  for (const size of [1, 7, 100, 1_000]) {
    const { socket, hello } = await handshakeInPieces(httpsPort, proxyHeaderV2, size);
    // X25519MLKEM768: more than a segment.
    expect(hello).toBeGreaterThan(1_460);
    expect((await ask(socket)).told).toMatchObject({ address: "192.0.2.7", encrypted: true });
  }
  const plain = await RawClient.ofTest(port);
  plain.send("PROXY TCP4 192.0.2.7 10.0.0.1 54321 80\r\nGET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
  const { status, headers } = await plain.response();
  expect([status, headers["location"]]).toEqual([308, `https://a.example:${httpsPort}/x`]);
});

test("health checks are answered on connections with TLS, and limits hold over both ports", async () => {
  const { primary, httpsPort, port } = await start({}, { healthEndpoints: true, limits: { maxConnections: 2 } });
  const client = await connectSecure(httpsPort);
  client.write("GET /health/live HTTP/1.1\r\nHost: a.example\r\n\r\n");
  expect(String((await once(client, "data"))[0])).toMatch(/^HTTP\/1\.1 200/);
  const second = await connectSecure(httpsPort);
  await ask(second);
  await expect
    .poll(async () => {
      const refused = await RawClient.ofTest(port);
      const { status } = await refused.send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").response();
      refused.destroy();
      return status;
    })
    .toBe(503);
  await expect(connectSecure(httpsPort)).rejects.toThrow(/ECONNRESET|disconnected/);
  primary.kill("SIGTERM");
  client.write("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
  expect(await text(client)).toMatch(/^HTTP\/1\.1 200/);
});
