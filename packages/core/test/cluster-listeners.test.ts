// Several public listeners: Unix sockets, both families, the PROXY protocol on one of them; what cannot be opened.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { eventually } from "./support/eventually.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { RawClient } from "./support/raw-client.ts";
import { testCertificate } from "./support/test-certificate.ts";

const run = promisify(execFile);

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "lb-listen-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function start(options: object) {
  return new PrimaryProcess("handoff-app.ts", {
    env: { LB_TEST_OPTIONS: JSON.stringify({ instances: 2, workerPort: 0, ...options }) },
  });
}

interface Told {
  readonly pid: number;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly headers: Record<string, string>;
}

async function curl(...args: string[]): Promise<Told> {
  return JSON.parse((await run("curl", ["-sS", "--max-time", "10", ...args])).stdout) as Told;
}

const portIn = (url: string) => Number(new URL(url).port);

/** On a connection that stays. */
async function ask(client: RawClient, head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"): Promise<Told> {
  const { status, body } = await client.send(head).response();
  expect(status).toBe(200);
  return JSON.parse(body.toString()) as Told;
}

const admitted = async (client: RawClient) =>
  (await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").response()).status === 200;

function unixClient(path: string): RawClient {
  const socket: Socket = connect({ path, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  return RawClient.over(socket);
}

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  test("a port, one of IPv6 and a Unix socket are told of, answer, and drain together", async () => {
    const path = join(folder(), "http.sock");
    const listen = [{ port: 0 }, { port: 0, host: "::", ipv6Only: true }, { path, mode: "0600" }];
    const primary = start({ mode, listen });
    const { listeners, port, url } = await primary.up();
    expect(listeners.map((one) => one.url)).toEqual([
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^http:\/\/\[::1\]:\d+$/),
      `unix:${path}`,
    ]);
    const [first, second] = listeners.map((one) => one.url);
    expect([url, port]).toEqual([first, portIn(first!)]);
    await expect.poll(() => primary.log).toContain(`listens on ${first}, ${second} and unix:${path} with 2 instances`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect((await curl(first!)).remoteAddress).toBe("127.0.0.1");
    expect((await curl(second!)).remoteAddress).toBe("::1");
    await expect(RawClient.connect(portIn(second!))).rejects.toMatchObject({ code: "ECONNREFUSED" });
    const local = await curl("--unix-socket", path, "-H", "X-Forwarded-For: 192.0.2.7", "http://a/");
    expect(local.remoteAddress).toBeUndefined();
    expect(local.headers["x-forwarded-for"]).toBe("192.0.2.7");
    const open = [await RawClient.ofTest(portIn(first!)), unixClient(path)];
    for (const client of open) await ask(client);
    primary.kill("SIGTERM");
    await Promise.all(open.map(({ closed }) => closed));
    expect(await primary.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(path)).toBe(false);
  });

  test("the PROXY protocol on one of them: the client is whom it names, also after a reload", async () => {
    const path = join(folder(), "http.sock");
    const listen = [{ port: 0 }, { port: 0, proxyProtocol: true }, { path, proxyProtocol: true }];
    const primary = start({ mode, listen, trustedProxies: ["loopback"] });
    const { listeners } = await primary.up();
    expect(listeners.map(({ proxyProtocol }) => proxyProtocol)).toEqual([false, true, true]);
    const plain = await RawClient.ofTest(portIn(listeners[0]!.url));
    const proxied = await RawClient.ofTest(portIn(listeners[1]!.url));
    const local = unixClient(path);
    proxied.send("PROXY TCP4 192.0.2.7 10.0.0.1 54321 80\r\n");
    local.send("PROXY TCP6 2001:db8::9 2001:db8::1 1234 80\r\n");
    const forged = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n";
    const told = async () => [await ask(plain), await ask(proxied, forged), await ask(local, forged)];
    const before = await told();
    const seen = (all: readonly Told[]) => all.map(({ remoteAddress, remotePort }) => `${remoteAddress} ${remotePort}`);
    const expected = [`127.0.0.1 ${plain.socket.localPort}`, "192.0.2.7 54321", "2001:db8::9 1234"];
    expect(seen(before)).toEqual(expected);
    // Who is named is no proxy of ours, and says nothing of others.
    for (const { headers } of before) expect(headers["x-forwarded-for"] ?? "").not.toContain("6.6.6.6");
    await primary.operate("reload", { watchMs: 50 });
    const after = await told();
    expect(seen(after)).toEqual(expected);
    const pids = new Set(before.map(({ pid }) => pid));
    for (const { pid } of after) expect(pids.has(pid)).toBe(false);
    const without = await RawClient.ofTest(portIn(listeners[1]!.url));
    await without.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").closed;
    expect(without.pending).toHaveLength(0);
  });

  test("with TLS on a port, at a Unix socket, and behind the PROXY protocol; none at https.port", async () => {
    const path = join(folder(), "https.sock");
    const https = { certificates: [testCertificate(["DNS:a.example"])] };
    const listen = [
      { port: 0, https: true },
      { path, https: true },
      { port: 0, https: true, proxyProtocol: true },
    ];
    const primary = start({ mode, listen, https, trustedProxies: ["loopback"] });
    const { listeners } = await primary.up();
    expect(listeners.map(({ https: encrypted }) => encrypted)).toEqual([true, true, true]);
    const [first, , third] = listeners.map(({ url }) => url);
    const own = await curl("-k", "--http1.1", first!);
    expect(own.remoteAddress).toBe("127.0.0.1");
    const forwarded = ["-H", "X-Forwarded-For: 192.0.2.7"];
    const local = await curl("-k", "--http1.1", "--unix-socket", path, ...forwarded, "https://a.example/");
    expect([local.remoteAddress, local.headers["x-forwarded-for"]]).toEqual([undefined, "192.0.2.7"]);
    const raw = connect(portIn(third!), "127.0.0.1");
    raw.write("PROXY TCP4 192.0.2.9 10.0.0.1 54321 443\r\n");
    const secure = connectTls({ socket: raw, servername: "a.example", rejectUnauthorized: false });
    onTestFinished(() => void secure.destroy());
    await once(secure, "secureConnect");
    const named = await ask(RawClient.over(secure));
    expect([named.remoteAddress, named.remotePort]).toEqual(["192.0.2.9", 54321]);
  });

  test("from a Unix socket WebSockets open, and requests find the instance that they belong to", async () => {
    const path = join(folder(), "http.sock");
    const primary = start({ mode, listen: [{ path }], affinity: "cookie", strategy: "round-robin" });
    await primary.up();
    const socket = new WebSocket(`ws+unix://${path}:/`);
    onTestFinished(() => socket.terminate());
    expect(String((await once(socket, "message"))[0])).toMatch(/^instance/);
    const head = (lines: string) => `GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n${lines}\r\n`;
    const first = await unixClient(path).send(head("")).response();
    const { pid } = JSON.parse(first.body.toString()) as Told;
    const cookie = first.headers["set-cookie"]!.split(";")[0]!;
    for (let met = false; !met; ) {
      const client = unixClient(path);
      met = (await ask(client, head(""))).pid !== pid;
      // In hand-off mode the other instance has the connection, and passes the request on.
      const told = await ask(client, head(`Cookie: ${cookie}\r\n`));
      expect([told.pid, told.remoteAddress]).toEqual([pid, undefined]);
      expect(told.headers["x-forwarded-for"]).toBe("192.0.2.7");
    }
  });

  test("limits hold over all of them together", async () => {
    const path = join(folder(), "http.sock");
    const primary = start({ mode, listen: [{ port: 0 }, { path }], limits: { maxConnections: 2 } });
    const { url } = await primary.up();
    const first = await RawClient.ofTest(portIn(url));
    await ask(first);
    // In hand-off mode the instances say how many they have: for a moment one that is on its way may count twice, or not at all.
    await eventually(() => admitted(unixClient(path)), { what: "a second connection" });
    await expect
      .poll(async () => {
        const third = unixClient(path);
        const isIn = await admitted(third);
        third.destroy();
        return isIn;
      })
      .toBe(false);
    await ask(first);
  });
});

test("a Unix socket that a killed primary has left is replaced; a live one is in use, and stays", async () => {
  const at = folder();
  const path = join(at, "http.sock");
  const killed = start({ listen: [{ path }] });
  expect((await killed.up()).url).toBe(`unix:${path}`);
  killed.kill("SIGKILL");
  await killed.exited;
  expect(existsSync(path)).toBe(true);
  const next = start({ listen: [{ path }] });
  await next.up();
  expect(readdirSync(at)).toEqual(["http.sock"]);
  const busy = await start({ listen: [{ path }] }).failed();
  expect(busy).toMatchObject({ code: "LB_PATH_BUSY", name: "ListenError" });
  expect(busy.message).toContain(`Cannot listen on unix:${path}: another process listens there`);
  expect(busy.message).toContain('the option "listen[0]"');
  await curl("--unix-socket", path, "http://a/");
});

test("what is no socket stays where it is; no directory, no socket: one error each, and nothing is left", async () => {
  const at = folder();
  const file = join(at, "file");
  writeFileSync(file, "mine");
  expect(await start({ listen: [{ path: file }] }).failed()).toMatchObject({ code: "LB_PATH_BUSY" });
  const nowhere = await start({ listen: [{ path: join(at, "a.sock") }, { path: join(at, "no/b.sock") }] }).failed();
  expect(nowhere).toMatchObject({ code: "LB_PATH_DENIED" });
  expect(nowhere.message).toMatch(/there is no such directory, or .* change the option "listen\[1\]"/);
  const descriptor = await start({ listen: [{ fd: 99 }] }).failed();
  expect(descriptor).toMatchObject({ code: "LB_LISTEN" });
  expect(descriptor.message).toContain("Cannot listen on fd:99: this descriptor is no stream socket");
  expect(readdirSync(at)).toEqual(["file"]);
});
