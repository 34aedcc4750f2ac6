import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, createServer, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { Interception, type Listened } from "./interception.ts";

/** The servers are real; only `listen` is called by way of the interception. */
describe("interception of listen", () => {
  let directory: string;
  let clock: ManualClock;
  let interception: Interception;
  let opened: string[];
  let listened: Listened[];
  let refuse: Error | undefined;
  let servers: Server[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "lb-test-"));
    clock = new ManualClock();
    opened = [];
    listened = [];
    refuse = undefined;
    servers = [];
    interception = new Interception(
      {
        appPorts: new Set([3000, 3001]),
        own: { host: "127.0.0.1", port: 0 },
        privatePath: (n) => join(directory, `${n}`),
        hasApp: true,
      },
      {
        open: async (_, port, host) => {
          opened.push(`${host ?? "*"}:${port}`);
          if (refuse !== undefined) throw refuse;
        },
      },
      { clock, listened: (one) => listened.push(one) },
    );
  });

  afterEach(async () => {
    for (const server of servers) server.close();
    rmSync(directory, { recursive: true });
  });

  function http(): HttpServer {
    const server = createHttpServer();
    servers.push(server);
    return server;
  }

  function listen<Made extends Server>(server: Made, ...args: unknown[]): Made {
    interception.listen(server, args, Server.prototype.listen);
    return server;
  }

  async function settled(): Promise<Server | undefined> {
    return Promise.race([
      interception.appListening(),
      new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined))),
    ]);
  }

  it("the app's server listens at once, nowhere, and says what it asked for", async () => {
    const app = http();
    const said = new Promise((resolve) => listen(app, 3000, "0.0.0.0", () => resolve(app.address())));
    expect(app.listening).toBe(true);
    expect(await said).toEqual({ address: "0.0.0.0", family: "IPv4", port: 3000 });
    expect(await settled()).toBe(app);
    expect(existsSync(join(directory, "1"))).toBe(true);
    expect(opened).toEqual([]);
    app.close();
    await once(app, "close");
    expect(app.address()).toBeNull();
    expect(existsSync(join(directory, "1"))).toBe(false);
  });

  it.each([
    [undefined, { address: "::", family: "IPv6" }],
    ["::1", { address: "::1", family: "IPv6" }],
    ["localhost", { address: "127.0.0.1", family: "IPv4" }],
  ])("with the host %s it says %j", async (host, address) => {
    expect(listen(http(), { port: 3001, host }).address()).toEqual({ ...address, port: 3001 });
  });

  it("a port of the program's own choice is the app's when nothing else came for a second", async () => {
    const app = listen(http(), 8080);
    await once(app, "listening");
    expect(await settled()).toBeUndefined();
    const waiting = interception.appListening();
    clock.advance(1_000);
    expect(await waiting).toBe(app);
    expect(opened).toEqual([]);
  });

  it("it is a further port when a server on the app's port comes after it", async () => {
    const metrics = listen(http(), 9090, "127.0.0.1");
    await once(metrics, "listening");
    const app = listen(http(), "3000");
    await once(app, "listening");
    expect(await settled()).toBe(app);
    expect(opened).toEqual(["127.0.0.1:9090"]);
    expect(metrics.address()).toEqual({ address: "127.0.0.1", family: "IPv4", port: 9090 });
  });

  it("further servers are opened in common, whatever they speak", async () => {
    listen(http(), 3000);
    const metrics = listen(http(), 9090);
    const bytes = createServer();
    servers.push(bytes);
    listen(bytes, 9091, "::1");
    await Promise.all([once(metrics, "listening"), once(bytes, "listening")]);
    expect(opened).toEqual(["*:9090", "::1:9091"]);
    expect((bytes.address() as AddressInfo).port).toBe(9091);
  });

  it("that a further port cannot be opened is the server's error, as in plain Node", async () => {
    refuse = Object.assign(new Error("listen EADDRINUSE"), { code: "EADDRINUSE" });
    listen(http(), 3000);
    const metrics = listen(http(), 9090);
    expect(await once(metrics, "error")).toEqual([refuse]);
    expect(metrics.listening).toBe(false);
  });

  it("a second server where the app listens gets EADDRINUSE; on another address it does not", async () => {
    listen(http(), 3000, "127.0.0.1");
    const [error] = await once(listen(http(), 3000, "127.0.0.1"), "error");
    expect(error).toMatchObject({
      code: "EADDRINUSE",
      syscall: "listen",
      port: 3000,
      message: "listen EADDRINUSE: address already in use 127.0.0.1:3000",
    });
    await once(listen(http(), 3000, "::1"), "listening");
  });

  it("the same server may listen again", async () => {
    const app = listen(http(), 3000);
    app.close();
    await once(app, "close");
    listen(app, 3000);
    await once(app, "listening");
    expect(await settled()).toBe(app);
  });

  it("port 0 is left alone, on loopback; a path is left alone", async () => {
    const random = listen(http(), 0, "0.0.0.0");
    await once(random, "listening");
    const { address, port } = random.address() as AddressInfo;
    expect(address).toBe("127.0.0.1");
    expect(port).toBeGreaterThan(0);
    const path = join(directory, "own");
    const local = listen(http(), path);
    await once(local, "listening");
    expect(local.address()).toBe(path);
    expect(await settled()).toBeUndefined();
  });

  it("a server of bytes on the app's port is a real one, on the instance's own", async () => {
    const bytes = createServer();
    servers.push(bytes);
    listen(bytes, 3000, "0.0.0.0");
    await once(bytes, "listening");
    expect((bytes.address() as AddressInfo).address).toBe("127.0.0.1");
  });

  it("HTTP/2 alone on the app's port is a failure that says what to change", async () => {
    const waiting = interception.appListening();
    const server = createHttp2Server();
    servers.push(server);
    listen(server, 3000);
    await expect(waiting).rejects.toMatchObject({
      code: "LB_APP_PROTOCOL",
      message: expect.stringContaining("allowHTTP1"),
    });
    expect(listened).toEqual([{ protocol: "http2", port: 3000 }]);
  });
});
