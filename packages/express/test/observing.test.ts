import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { eventually } from "../../core/test/support/eventually.ts";
import { httpGet } from "../../core/test/support/http-get.ts";
import { RawClient } from "../../core/test/support/raw-client.ts";
import type { RequestLogEntry, WebSocketEnd, WebSocketMessage } from "../src/index.ts";
import { deadUrl, startBackend } from "./support/backend.ts";
import { type CommonRequest, frameworks } from "./support/frameworks.ts";

const off = { passive: false, outlier: false } as const;

describe.each(frameworks)("$name: the request log", ({ startGateway }) => {
  it("has an entry for each request, when it is over, with what came of it", async () => {
    const { url: target } = await startBackend("a", ({ url }, response) => {
      if (url === "/cut") {
        response.writeHead(200, { "Content-Length": "100" }).write("half");
        setTimeout(() => response.destroy(), 20);
      } else if (url === "/missing") response.writeHead(404).end("none");
      else if (url !== "/waits") response.end("body");
    });
    const entries: RequestLogEntry[] = [];
    const urls: unknown[] = [];
    const { port, url, gateway } = await startGateway({
      targets: [await deadUrl(), target],
      strategy: "round-robin",
      health: off,
      mount: "/api",
      onResponse: ({ status }) => (status === 404 ? "next" : undefined),
      log: (entry, request) => {
        entries.push(entry);
        urls.push(request.url);
      },
    });
    const entryOf = async (ask: () => Promise<unknown>) => {
      const before = entries.length;
      await ask().catch(() => {});
      return eventually(() => entries[before], { what: "the entry" });
    };
    // The one that nobody listens at is first in turn.
    expect(await entryOf(() => httpGet(`${url}/api/x?y`))).toMatchObject({
      method: "GET",
      url: "/api/x?y",
      clientAddress: "127.0.0.1",
      outcome: "answered",
      status: 200,
      target,
      attempts: 2,
      bodyBytes: 4,
      error: undefined,
    });
    expect(await entryOf(() => httpGet(`${url}/api/cut`))).toMatchObject({
      outcome: "failed",
      status: 200,
      error: "LB_UPSTREAM_RESET",
    });
    expect(await entryOf(() => httpGet(`${url}/api/missing`))).toMatchObject({ outcome: "next", status: undefined });
    expect(await entryOf(() => httpGet(`${url}/api/`, { method: "TRACE" }))).toMatchObject({
      outcome: "failed",
      status: 405,
      error: "LB_METHOD",
      attempts: 0,
    });
    const client = await RawClient.connect(port);
    client.send("GET /api/waits HTTP/1.1\r\nHost: x\r\n\r\n");
    await eventually(() => gateway.status().endpoints.some(({ inFlight }) => inFlight === 1), { what: "the request" });
    expect(await entryOf(async () => client.destroy())).toMatchObject({
      outcome: "left",
      status: undefined,
      error: undefined,
    });
    expect(entries.every(({ durationMs }) => durationMs >= 0 && durationMs < 10_000)).toBe(true);
    expect([entries.length, urls.length]).toEqual([5, 5]);
  });
});

describe.each(frameworks)("$name: the mirror", ({ startGateway }) => {
  it("gets a copy of each request, and what becomes of it is nobody's concern", async () => {
    const [own, mirror] = [await startBackend("own"), await startBackend("mirror")];
    const { url } = await startGateway({ targets: [own.url], mirror: { targets: [`${mirror.url}/copy`] } });
    await httpGet(`${url}/x?y`);
    const body = "x".repeat(100_000);
    expect(JSON.parse((await httpGet(`${url}/y`, { method: "POST", body })).body)).toMatchObject({ backend: "own" });
    await eventually(() => mirror.seen.length === 2, { what: "the copies" });
    expect(mirror.seen.find(({ method }) => method === "GET")).toMatchObject({ url: "/copy/x?y" });
    expect(mirror.seen.find(({ method }) => method === "POST")).toMatchObject({
      url: "/copy/y",
      body: String(body.length),
    });
    // Connections of copies are kept for the next ones.
    await httpGet(`${url}/z`);
    await eventually(() => mirror.seen.length === 3, { what: "another copy" });
    expect(mirror.sockets.size).toBeLessThanOrEqual(2);
  });

  it("one that is away, silent or slow costs the requests nothing, and onError hears of it", async () => {
    const own = await startBackend("own");
    const silent = await startBackend("silent", () => {});
    const errors: string[] = [];
    const given = { targets: [own.url], onError: ({ code }: { code: string }) => errors.push(code) };
    const away = await startGateway({ ...given, mirror: { targets: [await deadUrl()] } });
    expect((await httpGet(away.url)).status).toBe(200);
    await eventually(() => errors.length === 1, { what: "the failure" });
    const bounded = await startGateway({
      ...given,
      mirror: { targets: [silent.url], maxInFlight: 2, maxWaitingBytes: 1_000 },
    });
    for (let round = 0; round < 4; round++) expect((await httpGet(bounded.url)).status).toBe(200);
    await eventually(() => silent.seen.length === 2, { what: "no more than two copies" });
    const slow = await startGateway({ ...given, mirror: { targets: [silent.url], maxWaitingBytes: 1_000 } });
    expect((await httpGet(slow.url, { method: "POST", body: Buffer.alloc(5_000_000) })).status).toBe(200);
    await eventually(() => errors.length === 2, { what: "the copy that was given up" });
    expect(errors).toEqual(["LB_MIRROR", "LB_MIRROR"]);
  });
});

describe.each(frameworks)("$name: what is told of WebSockets", ({ startGateway }) => {
  it("that one is open, its messages, and how it ended", async () => {
    const backend = await startBackend("a");
    const told: unknown[] = [];
    const messages: WebSocketMessage[] = [];
    const ends: WebSocketEnd[] = [];
    const { port } = await startGateway({
      targets: [backend.url],
      webSockets: {
        onOpen: (target, { url }: CommonRequest) => told.push([target, url]),
        onMessage: (message) => messages.push(message),
        onClose: (end) => ends.push(end),
      },
    });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live`);
    onTestFinished(() => socket.terminate());
    await once(socket, "open");
    for (const text of ["hello", "x".repeat(100_000)]) {
      socket.send(text);
      await once(socket, "message");
    }
    expect(told).toEqual([[backend.url, "/live"]]);
    expect(messages.map(({ from, data }) => [from, String(data).slice(0, 7)])).toEqual([
      ["client", "hello"],
      ["target", "a:hello"],
      ["client", "xxxxxxx"],
      ["target", "a:xxxxx"],
    ]);
    expect(backend.seen[0]!.headers).not.toHaveProperty("sec-websocket-extensions");
    socket.close(4001, "enough");
    await eventually(() => ends.length === 1, { what: "the end" });
    expect(ends[0]).toMatchObject({ code: 4001, reason: "enough" });
    const cut = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(cut, "open");
    cut.terminate();
    await eventually(() => ends.length === 2, { what: "the other end" });
    expect(ends[1]).toMatchObject({ code: 1006, reason: "" });
  });
});
