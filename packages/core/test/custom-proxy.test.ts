import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type RequestListener, request, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished } from "vitest";
import { eventually } from "./support/eventually.ts";
import { freePorts } from "./support/free-ports.ts";
import { httpGet } from "./support/http-get.ts";

// The example runs as users run it, on the built package.
const example = resolve(import.meta.dirname, "../../../examples/custom-proxy/server.js");

/** Answers with its name and what it was asked, unless `listener` does something else. */
async function startUpstream(name: string, listener?: RequestListener) {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => response.end(`${name} ${request.method} ${request.url} ${body}`));
  };
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    (listener ?? answer)(request, response);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  const stop = () =>
    new Promise<void>((stopped) => {
      server.close(() => stopped());
      for (const socket of sockets) socket.destroy();
    });
  onTestFinished(stop);
  return { url: `http://127.0.0.1:${port}`, seen, sockets, stop };
}

/** A URL on which nobody listens. */
async function deadUpstream(): Promise<string> {
  return `http://127.0.0.1:${await freePorts(1)}`;
}

async function startProxy(...upstreams: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [example], {
    env: { ...process.env, NODE_OPTIONS: "", PORT: "0", UPSTREAMS: upstreams.join(",") },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise((done) => child.once("exit", done));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error(`${example} ended before it listened: has the package been built?`);
}

it("spreads requests over its upstreams and relays bodies both ways", async () => {
  const upstreams = await Promise.all(["a", "b", "c"].map((name) => startUpstream(name)));
  const proxy = await startProxy(...upstreams.map(({ url }) => url));
  for (let round = 0; round < 4; round += 1) {
    for (const name of ["a", "b", "c"]) expect((await httpGet(`${proxy}/x?y`)).body).toBe(`${name} GET /x?y `);
  }
  const { body } = await httpGet(`${proxy}/form`, { method: "POST", body: "hello" });
  expect(body).toBe("a POST /form hello");
});

it("tries a GET elsewhere when an upstream refuses connections, and asks that one no more", async () => {
  const good = await startUpstream("good");
  const proxy = await startProxy(await deadUpstream(), good.url);
  for (let round = 0; round < 10; round += 1) expect((await httpGet(`${proxy}/${round}`)).body).toContain("good");
  expect(good.seen).toHaveLength(10);
});

it("answers 502 to a POST whose upstream is gone, without repeating it, and 502 when all are", async () => {
  const good = await startUpstream("good");
  const proxy = await startProxy(await deadUpstream(), good.url);
  expect((await httpGet(`${proxy}/pay`, { method: "POST", body: "1" })).status).toBe(502);
  expect(good.seen).toEqual([]);
  expect((await httpGet(`${proxy}/pay`, { method: "POST", body: "1" })).body).toBe("good POST /pay 1");
  await good.stop();
  expect((await httpGet(`${proxy}/`)).status).toBe(502);
});

it("tries a GET elsewhere when an upstream cuts the connection before its response", async () => {
  const [bad, good] = [
    await startUpstream("bad", (_request, { socket }) => socket!.destroy()),
    await startUpstream("good"),
  ];
  const proxy = await startProxy(bad.url, good.url);
  expect((await httpGet(`${proxy}/`)).body).toContain("good");
  expect(bad.seen).toHaveLength(1);
});

it("cuts a response whose upstream dies in the middle, so that it does not look complete", async () => {
  const upstream = await startUpstream("half", (_request, response) => {
    response.writeHead(200, { "content-length": 100 });
    response.write("half of it", () => response.socket!.destroy());
  });
  const proxy = await startProxy(upstream.url);
  await expect(httpGet(`${proxy}/`)).rejects.toMatchObject({ code: "ECONNRESET" });
});

it("ends the upstream's request, and the lease, when the client goes", async () => {
  const slow = await startUpstream("slow", () => {});
  const other = await startUpstream("other");
  const proxy = await startProxy(slow.url, other.url);
  const aborted = request(`${proxy}/long`, { agent: false }).end();
  const gone = new Promise((done) => aborted.once("error", done));
  await eventually(() => slow.seen.length === 1, { what: "the slow upstream is asked" });
  // Two leases in flight would make it the busier one.
  expect((await httpGet(`${proxy}/1`)).body).toContain("other");
  expect((await httpGet(`${proxy}/2`)).body).toContain("other");
  aborted.destroy();
  await gone;
  await eventually(() => slow.sockets.size === 0, { what: "the upstream's connection is closed" });
  const next = request(`${proxy}/again`, { agent: false }).end();
  next.on("error", () => {});
  await eventually(() => slow.seen.length === 2, { what: "the slow upstream has its turn again" });
  next.destroy();
});
