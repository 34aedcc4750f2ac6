// A whole cluster with a port for TLS: what instances see, a reload under load, and starts that fail.
import { once } from "node:events";
import { copyFileSync, readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { createServer } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { PrimaryProcess } from "./support/primary-process.ts";
import { testCertificate } from "./support/test-certificate.ts";
import { beginHandshake, connectSecure } from "./support/tls-clients.ts";

const modes = ["proxy", "handoff"] as const;

function start(options: object = {}, https: object = {}) {
  const { cert, key } = testCertificate(["DNS:a.example", "IP:127.0.0.1"]);
  const all = { port: 0, instances: 2, https: { port: 0, certificates: [{ cert, key }], ...https }, ...options };
  return new PrimaryProcess("handoff-app.ts", { env: { LB_TEST_OPTIONS: JSON.stringify(all) } });
}

const secure = { host: "127.0.0.1", servername: "a.example", rejectUnauthorized: false };

interface Told {
  readonly pid: number;
  readonly remoteAddress: string;
  readonly headers: Record<string, string>;
}

async function ask(port: number, options: object = {}) {
  const sent = request({ ...secure, port, path: "/", ...options });
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return { headers: response.headers, told: JSON.parse(await text(response)) as Told };
}

test.each(modes)(
  "%s: instances see https and the client's address, cookies are Secure, WebSockets pass, and it is told where",
  async (mode) => {
    const primary = start({ mode, affinity: "cookie" });
    const { https, url } = await primary.up();
    expect(https).toEqual({
      port: expect.any(Number),
      url: `https://127.0.0.1:${https!.port}`,
      certificates: [
        {
          names: ["a.example", "127.0.0.1"],
          validFrom: expect.stringMatching(/^20\d\d-.*Z$/),
          expiresAt: expect.stringMatching(/^20\d\d-.*Z$/),
          issuer: "CN=lb test",
          source: "options",
          problem: "it signs itself, which clients do not trust",
        },
      ],
      localRoot: null,
      http2: mode === "proxy",
      acme: null,
    });
    const { headers, told } = await ask(https!.port);
    expect(headers["set-cookie"]?.[0]).toMatch(/; Secure/);
    expect(told.remoteAddress).toBe("127.0.0.1");
    expect(told.headers["x-forwarded-proto"]).toBe("https");
    expect(told.headers["x-forwarded-port"]).toBe(mode === "proxy" ? `${https!.port}` : undefined);
    const socket = new WebSocket(`wss://127.0.0.1:${https!.port}/`, { rejectUnauthorized: false });
    onTestFinished(() => socket.terminate());
    expect(String((await once(socket, "message"))[0])).toMatch(/^instance [12]$/);
    await expect.poll(() => primary.log).toContain(`listens on ${url} and ${https!.url} with 2 instances`);
  },
);

test.each(modes)(
  "%s: a reload under load over kept connections: no request fails, and they go on with the new instances",
  async (mode) => {
    const primary = start({ mode });
    const { https, instances } = await primary.up();
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    onTestFinished(() => agent.destroy());
    let running = true;
    const pids = new Set<number>();
    const clients = Array.from({ length: 16 }, async () => {
      while (running) pids.add((await ask(https!.port, { agent, path: "/?ms=5" })).told.pid);
    });
    await primary.operate("reload", { watchMs: 100 });
    running = false;
    await Promise.all(clients);
    expect(pids.size).toBe(4);
    const after = new Set((await primary.status()).instances.map(({ pid }) => pid));
    for (const { pid } of instances) expect(after.has(pid)).toBe(false);
    primary.kill("SIGTERM");
    expect(await primary.exited).toEqual({ code: 0, signal: null });
  },
);

test.each(modes)(
  "%s: SIGTERM while a client is slow in its handshake: its request is answered, and is the last",
  async (mode) => {
    const primary = start({ mode });
    const { https } = await primary.up();
    const slow = await beginHandshake(https!.port);
    primary.kill("SIGTERM");
    await primary.statusThat(({ phase }) => phase === "closing");
    const client = await slow.goOn();
    client.write("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    expect(await text(client)).toMatch(/^HTTP\/1\.1 200[\s\S]*\r\nConnection: close\r\n/i);
    expect(await primary.exited).toEqual({ code: 0, signal: null });
  },
);

test.each(modes)(
  "FAULTS 62: %s: the key of tickets is a new one by and by, and the last one still good",
  async (mode) => {
    const primary = start({ mode }, { sessionMs: 1_500 });
    const { https } = await primary.up();
    const ticket = async () => {
      const client = await connectSecure(https!.port, { maxVersion: "TLSv1.2" });
      const [name, session] = [client.getTLSTicket()!.toString("hex", 0, 16), client.getSession()!];
      client.destroy();
      return { name, session };
    };
    let [last, next] = [await ticket(), await ticket()];
    const { name } = last;
    while (next.name === name) [last, next] = [next, await ticket()];
    for (let n = 0; n < 4; n++) {
      const client = await connectSecure(https!.port, { maxVersion: "TLSv1.2", session: last.session });
      expect(client.isSessionReused()).toBe(true);
      client.destroy();
    }
  },
);

test.each(modes)(
  "%s: setCertificates() puts others in their place, all or none, and looks after their files",
  async (mode) => {
    const primary = start({ mode });
    const port = (await primary.up()).https!.port;
    const seen = async () => (await connectSecure(port)).getPeerCertificate().subjectaltname;
    const before = await connectSecure(port);
    const [pem, files] = [testCertificate(["DNS:pem.example"]), testCertificate(["DNS:files.example"])];
    const [cert, key] = [readFileSync(pem.cert, "utf8"), readFileSync(pem.key, "utf8")];
    await primary.operate("setCertificates", [{ cert, key }]);
    expect(await seen()).toBe("DNS:pem.example");
    await primary.event("certificates-renewed", ({ certificates }) => certificates[0]?.names[0] === "pem.example");
    const mixed = primary.operate("setCertificates", [
      { cert: files.cert, key: files.key },
      { cert: files.cert, key },
    ]);
    const [code, message] = ["LB_CERTIFICATE", expect.stringMatching(/^Option "certificates\[1\]": The key is not/)];
    await expect(mixed).rejects.toMatchObject({ code, message });
    for (const wrong of [[], { cert, key }, [{ cert }]]) {
      const refused = primary.operate("setCertificates", wrong);
      await expect(refused).rejects.toMatchObject({
        code: "LB_OPTION",
        message: expect.not.stringContaining("PRIVATE"),
      });
    }
    expect(await seen()).toBe("DNS:pem.example");
    expect((await primary.status()).https!.certificates.map(({ names }) => names)).toEqual([["pem.example"]]);
    await primary.operate("setCertificates", [{ cert: files.cert, key: files.key }]);
    expect(await seen()).toBe("DNS:files.example");
    const next = testCertificate(["DNS:next.example"]);
    copyFileSync(next.cert, files.cert);
    copyFileSync(next.key, files.key);
    await primary.operate("reloadCertificates");
    expect(await seen()).toBe("DNS:next.example");
    before.write("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    expect(String((await once(before, "data"))[0])).toMatch(/^HTTP\/1.1 200/);
  },
);

test("a port that is taken, a key of another certificate, a file that is not there: one error each, and nothing is left", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void taken.close());
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const busy = await start({}, { port }).failed();
  expect(busy).toMatchObject({ code: "LB_PORT_BUSY" });
  expect(busy.message).toContain(`Cannot listen on 127.0.0.1:${port}`);
  expect(busy.message).toContain('the option "https.port"');

  const [one, other] = [testCertificate(["DNS:a.example"]), testCertificate(["DNS:b.example"])];
  const mixed = await start({}, { certificates: [one, { cert: one.cert, key: other.key }] }).failed();
  expect(mixed).toMatchObject({ code: "LB_CERTIFICATE" });
  expect(mixed.message).toMatch(/^Option "https\.certificates\[1\]": The key is not that of the certificate/);

  const missing = await start({}, { certificates: [{ cert: "/nowhere.pem", key: one.key }] }).failed();
  expect(missing.message).toMatch(/^Option "https\.certificates\[0\]\.cert": The file cannot be read: ENOENT/);
});
