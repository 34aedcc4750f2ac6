import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { backendAuthority } from "../../test/support/backend-certificates.ts";
import { activeDefaults } from "../../test/support/default-settings.ts";
import { eventually } from "../../test/support/eventually.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { reachBy } from "../../test/support/reached-server.ts";
import { ownProxyHeader } from "../http/proxy-header.ts";
import { type Clock, systemClock } from "../model/clock.ts";
import type { Address, Endpoint } from "../model/endpoint.ts";
import type { ActiveSettings } from "../options/health-options.ts";
import type { ProbedAt, ProbeResult } from "./http-probe.ts";
import { Prober } from "./prober.ts";

const quick: ActiveSettings = { ...activeDefaults, path: "/health?x=1", intervalMs: 5, jitter: 0, timeoutMs: 5_000 };

function endpointAt(address: Address, slot = 0): Endpoint {
  return { id: `${slot}`, slot, incarnation: 1, weight: 1, address };
}

/** Counts connections, so that a test can wait until none is left. */
async function listen<S extends Server | TcpServer>(server: S, path?: string) {
  const sockets = new Set<Socket>();
  let connections = 0;
  let mostAtOnce = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    mostAtOnce = Math.max(mostAtOnce, sockets.size);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, "127.0.0.1", resolve);
    else server.listen(path, resolve);
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address: Address =
    path === undefined
      ? { kind: "tcp", host: "127.0.0.1", port: (server.address() as AddressInfo).port }
      : { kind: "unix", path };
  return { address, sockets, connections: () => connections, mostAtOnce: () => mostAtOnce };
}

function serve(listener: RequestListener, path?: string) {
  return listen(createServer(listener), path);
}

interface Setup {
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly probedAt?: (endpoint: Endpoint) => ProbedAt;
}

function probe(addresses: readonly Address[], settings: Partial<ActiveSettings> = {}, setup: Setup = {}) {
  const results: ProbeResult[] = [];
  const endpoints = addresses.map(endpointAt);
  const prober = new Prober({
    clock: systemClock,
    random: () => 0,
    ...setup,
    settings: { ...quick, ...settings },
    report: (_endpoint, result) => results.push(result),
  });
  prober.update(endpoints);
  onTestFinished(() => prober.close());
  const first = () => eventually(() => results[0], { what: "a probe has a result" });
  return { prober, endpoints, results, first };
}

describe("Prober", () => {
  it("asks for the path again and again, each time on a connection of its own", async () => {
    const seen: unknown[] = [];
    const { address, sockets } = await serve((request, response) => {
      seen.push([
        request.method,
        request.url,
        request.headers.connection,
        request.headers.host?.startsWith("127.0.0.1:"),
      ]);
      response.end("fine");
    });
    const { results, prober } = probe([address]);
    await eventually(() => results.length >= 3, { what: "three probes" });
    expect(results.slice(0, 3)).toEqual(new Array(3).fill({ kind: "up", status: 200 }));
    expect(seen[0]).toEqual(["GET", "/health?x=1", "close", true]);
    await prober.close();
    await eventually(() => sockets.size === 0, { what: "all connections are closed" });
  });

  it("reaches Unix sockets", async () => {
    const directory = await mkdtemp(join(tmpdir(), "lb-probe-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    const { address } = await serve((_request, response) => response.writeHead(204).end(), join(directory, "app.sock"));
    expect(await probe([address]).first()).toEqual({ kind: "up", status: 204 });
  });

  it("probes an endpoint elsewhere than where it gets its traffic, if told so", async () => {
    const { address } = await serve((_request, response) => response.writeHead(204).end());
    const { first } = probe([{ kind: "unix", path: "/nowhere" }], {}, { probedAt: () => ({ address }) });
    expect(await first()).toEqual({ kind: "up", status: 204 });
  });

  it("goes by the expected status", async () => {
    const { address } = await serve((_request, response) => response.writeHead(503).end());
    expect(await probe([address]).first()).toEqual({ kind: "down", reason: "status", status: 503 });
    const expectStatus = (status: number) => status === 503;
    expect(await probe([address], { expectStatus }).first()).toEqual({ kind: "up", status: 503 });
  });

  it("finds a closed port down, and up once it is open", async () => {
    const server = createServer((_request, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const { results } = probe([{ kind: "tcp", host: "127.0.0.1", port }]);
    const down = await eventually(() => results[0], { what: "a first result" });
    expect(down).toMatchObject({ kind: "down", reason: "error", error: { code: "ECONNREFUSED" } });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
    await eventually(() => results.at(-1)?.kind === "up", { what: "the probe finds it up" });
  });

  it("gives up after the timeout, and the next probe waits for the end of the last", async () => {
    const { address, sockets, mostAtOnce } = await listen(createTcpServer((socket) => void socket.resume()));
    const { results, prober } = probe([address], { timeoutMs: 30, intervalMs: 1 });
    await eventually(() => results.length >= 3, { what: "three probes time out" });
    expect(results[0]).toEqual({ kind: "down", reason: "timeout" });
    await prober.close();
    await eventually(() => sockets.size === 0, { what: "all connections are closed" });
    // The server may hear of the end of one connection after the beginning of the next.
    expect(mostAtOnce()).toBeLessThanOrEqual(2);
  });

  it("needs the head only: an endless or stuck body changes nothing and is not downloaded", async () => {
    let sent = 0;
    const { address, connections } = await serve((_request, response) => {
      const chunk = Buffer.alloc(65_536);
      const more = () => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      };
      response.on("drain", more);
      more();
    });
    const { results } = probe([address]);
    await eventually(() => connections() >= 3, { what: "the first probes are over" });
    expect(results[0]).toEqual({ kind: "up", status: 200 });
    // What the sockets' buffers take is sent in any case.
    expect(sent / connections()).toBeLessThan(8_000_000);

    const stuck = await serve((_request, response) => void response.write("half of it"));
    const second = probe([stuck.address], { timeoutMs: 30 });
    await eventually(() => stuck.connections() >= 2, { what: "another probe follows" });
    expect(second.results[0]).toEqual({ kind: "up", status: 200 });
  });

  it("takes what is not HTTP, or an upgrade, for down", async () => {
    const garbage = await listen(createTcpServer((socket) => void socket.end("nonsense\r\n\r\n")));
    expect(await probe([garbage.address]).first()).toMatchObject({ kind: "down", reason: "error" });
    const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    const upgrade = await listen(createTcpServer((socket) => void socket.write(switching)));
    expect(await probe([upgrade.address]).first()).toMatchObject({
      kind: "down",
      reason: "error",
      error: { code: "LB_PROBE" },
    });
  });

  it("goes the way that requests go: TLS with a name and an authority, a header before it, a host", async () => {
    const authority = backendAuthority();
    const app = createServer((request, response) =>
      response.writeHead(request.headers.host === "api.internal" ? 200 : 400).end(),
    );
    const { reach, stop } = await reachBy("https with a client certificate", app);
    onTestFinished(stop);
    const { address, tls } = reach;
    expect(await probe([address], {}, { probedAt: () => ({ ...reach, host: "api.internal" }) }).first()).toEqual({
      kind: "up",
      status: 200,
    });
    expect(await probe([address], {}, { probedAt: () => reach }).first()).toMatchObject({ status: 400 });
    const other = { ...reach, tls: { ...tls!, ca: [authority.ca] } };
    expect(await probe([address], {}, { probedAt: () => other }).first()).toMatchObject({
      kind: "down",
      error: { code: "LB_UNTRUSTED", reason: "unknown-authority" },
    });
    const plain = await probe([address]).first();
    expect(plain).toMatchObject({ kind: "down", reason: "error" });
  });

  it("says by the PROXY protocol that it speaks for nobody", async () => {
    let begun: Buffer = Buffer.alloc(0);
    const { address } = await listen(
      createTcpServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", (bytes: Buffer) => {
          begun = bytes;
          socket.end("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        });
      }),
    );
    const { first } = probe([address], {}, { probedAt: () => ({ address, proxyProtocol: 2 }) });
    expect(await first()).toEqual({ kind: "up", status: 204 });
    expect(begun.subarray(0, ownProxyHeader.length)).toEqual(ownProxyHeader);
  });

  it("spreads first probes over the jitter, and varies the interval around its mean", async () => {
    const { address } = await serve((_request, response) => response.end());
    const clock = new ManualClock();
    const delays: number[] = [];
    const spy: Clock = {
      now: () => clock.now(),
      after: (ms, call) => {
        delays.push(ms);
        return clock.after(ms, call);
      },
    };
    const random = () => 0.25;
    const settings = { intervalMs: 1_000, jitter: 0.2, timeoutMs: 7 };
    probe([address], settings, { clock: spy, random });
    expect(delays).toEqual([50]);
    clock.advance(50);
    await eventually(() => delays.length === 3, { what: "the next probe is planned" });
    expect(delays.slice(1)).toEqual([7, 900]);
  });

  it("follows changes of the roster, and reports nothing after an endpoint left", async () => {
    const asked: string[] = [];
    const one = await listen(
      createTcpServer((socket) => {
        asked.push("one");
        socket.resume();
      }),
    );
    const two = await serve((_request, response) => {
      asked.push("two");
      response.end();
    });
    const { prober, results } = probe([one.address], { intervalMs: 1 });
    await eventually(() => asked.length === 1, { what: "the first is asked" });
    const second = endpointAt(two.address, 1);
    prober.update([second]);
    await eventually(() => one.sockets.size === 0 && results.length >= 2, { what: "the second is asked instead" });
    prober.update([second]);
    expect(results.every(({ kind }) => kind === "up")).toBe(true);
    await prober.close();
    prober.update([second]);
    const count = results.length;
    await eventually(() => two.sockets.size === 0, { what: "all connections are closed" });
    expect(results.length).toBe(count);
    expect(asked.filter((name) => name === "one")).toHaveLength(1);
  });
});
