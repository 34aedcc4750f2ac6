import { once } from "node:events";
import fastify, { type FastifyInstance, type FastifyServerOptions } from "fastify";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { httpGet } from "../../core/test/support/http-get.ts";
import { exchange } from "../../core/test/support/raw-client.ts";
import { lbFastify, rateLimit } from "../src/fastify.ts";
import { securityHeaders } from "../src/fastify-helmet.ts";
import { deadUrl, startBackend } from "./support/backend.ts";

async function start(
  build: (app: FastifyInstance) => Promise<unknown>,
  options: FastifyServerOptions = {},
): Promise<{ app: FastifyInstance; url: string; port: number }> {
  const app = fastify(options);
  onTestFinished(() => app.close());
  await build(app);
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return { app, url, port: Number(new URL(url).port) };
}

async function pathSeen(port: number, target: string): Promise<string> {
  const { status, body } = await exchange(port, `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return status === 200 ? JSON.parse(body.toString()).url : String(status);
}

describe("Fastify, its own ways", () => {
  it("closes with a WebSocket open, which it ends", async () => {
    const { url: target } = await startBackend("a");
    const { app, port } = await start(async (root) => root.register(lbFastify, { targets: [target] }));
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    onTestFinished(() => socket.terminate());
    await once(socket, "open");
    const closed = once(socket, "close");
    await app.close();
    expect((await closed)[0]).toBe(1006);
  });

  it("takes off prefixes with parameters and encoded characters, nested ones too", async () => {
    const { url: target } = await startBackend("a");
    const { app, port } = await start(async (root) => {
      await root.register(
        async (scope) => {
          await scope.register(lbFastify, { prefix: "/api", targets: [target] });
        },
        { prefix: "/:tenant" },
      );
    });
    expect(await pathSeen(port, "/acme/api/x%2Fy//z?q=/a")).toBe("/x%2Fy//z?q=/a");
    expect(await pathSeen(port, "/a%63me/%61pi/x")).toBe("/x");
    expect(await pathSeen(port, "/acme/api")).toBe("/");
    expect(await pathSeen(port, "/acme/api?x")).toBe("/?x");
    expect(await pathSeen(port, "http://x/acme/api/y")).toBe("/y");
    expect(await pathSeen(port, "/acme/other")).toBe("404");
    expect(app.hasDecorator("gateways")).toBe(false);
  });

  it("knows its gateways by prefix", async () => {
    const [a, b] = [await startBackend("a"), await startBackend("b")];
    const { app, url } = await start(async (root) => {
      await root.register(lbFastify, { targets: [a.url] });
      await root.register(lbFastify, { prefix: "/b", targets: [b.url] });
    });
    expect([...app.gateways.keys()]).toEqual(["/", "/b"]);
    expect(JSON.parse((await httpGet(`${url}/b/x`)).body)).toMatchObject({ backend: "b", url: "/x" });
    expect(JSON.parse((await httpGet(`${url}/bx`)).body)).toMatchObject({ backend: "a", url: "/bx" });
    expect(app.gateways.get("/b")!.status().endpoints[0]).toMatchObject({ url: b.url, requests: 1 });
  });

  it("hooks have their word on requests and WebSockets, and what they set is sent", async () => {
    const { url: target } = await startBackend("a");
    const responded: number[] = [];
    const { url, port } = await start(async (root) => {
      root.addHook("onRequest", async (request, reply) => {
        reply.header("X-From-Hook", "1");
        if (!request.url.includes("token=right")) await reply.code(401).send({ error: "no token" });
      });
      root.addHook("onResponse", async (_request, reply) => void responded.push(reply.statusCode));
      await root.register(lbFastify, { targets: [target] });
    });
    expect((await httpGet(url)).status).toBe(401);
    const passed = await httpGet(`${url}/?token=right`);
    expect(passed).toMatchObject({ status: 200, headers: { "x-from-hook": "1" } });
    await expect.poll(() => responded).toEqual([401, 200]);
    const refused = new WebSocket(`ws://127.0.0.1:${port}/`).on("error", () => {});
    const [, response] = await once(refused, "unexpected-response");
    expect(response.statusCode).toBe(401);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/?token=right`);
    onTestFinished(() => socket.terminate());
    await once(socket, "open");
  });

  it("parses bodies elsewhere as before, and streams them through here whatever their type", async () => {
    const { url: target } = await startBackend("a");
    const { url } = await start(async (root) => {
      root.post("/own", async (request) => ({ got: request.body }));
      await root.register(lbFastify, { prefix: "/api", targets: [target] });
    });
    const json = { method: "POST", headers: { "Content-Type": "application/json" } };
    expect(JSON.parse((await httpGet(`${url}/own`, { ...json, body: '{"a":1}' })).body)).toEqual({ got: { a: 1 } });
    expect(JSON.parse((await httpGet(`${url}/api/`, { ...json, body: "not json" })).body).body).toBe("not json");
    const strange = { method: "PUT", headers: { "Content-Type": "x/y; z" }, body: "bytes" };
    expect(JSON.parse((await httpGet(`${url}/api/`, strange)).body).body).toBe("bytes");
  });

  it("a guard holds in its scope, WebSockets and all, and nowhere else", async () => {
    const { url: target } = await startBackend("a");
    const { url, port } = await start(async (root) => {
      await root.register(async (scope) => {
        await scope.register(rateLimit, { name: "scope", points: 1, windowMs: 600_000 });
        await scope.register(lbFastify, { prefix: "/api", targets: [target] });
      });
      root.get("/free", async () => "free");
    });
    expect([(await httpGet(`${url}/api/`)).status, (await httpGet(`${url}/api/`)).status]).toEqual([200, 429]);
    const refused = new WebSocket(`ws://127.0.0.1:${port}/api/`).on("error", () => {});
    const [, response] = await once(refused, "unexpected-response");
    expect(response.statusCode).toBe(429);
    const { status, headers } = await httpGet(`${url}/free`);
    expect([status, headers["ratelimit-limit"]]).toEqual([200, undefined]);
  });

  it("passErrors: the error handler gets a GatewayError", async () => {
    const dead = await deadUrl();
    const { url } = await start(async (root) => {
      root.setErrorHandler<Error & { code: string; statusCode: number }>((error, _request, reply) => {
        reply.code(error.statusCode).send({ code: error.code });
      });
      await root.register(lbFastify, { targets: [dead], passErrors: true });
    });
    const { status, body } = await httpGet(url);
    expect([status, JSON.parse(body)]).toEqual([502, { code: "LB_UPSTREAM_CONNECT" }]);
  });

  it("logs what failed with the request's own log", async () => {
    const lines: string[] = [];
    const stream = { write: (line: string) => void lines.push(line) };
    const dead = await deadUrl();
    const { url } = await start((root) => root.register(lbFastify, { targets: [dead] }) as never, {
      logger: { level: "warn", stream },
    });
    await httpGet(url);
    const [line] = lines.map((text) => JSON.parse(text));
    expect(line).toMatchObject({ msg: "The request was not relayed", err: { code: "LB_UPSTREAM_CONNECT" } });
    expect(line).toHaveProperty("reqId");
  });

  it("securityHeaders: helmet's, unless a target says otherwise", async () => {
    const { url: target } = await startBackend("a", (_request, response) => {
      response.writeHead(200, { "X-Frame-Options": "DENY" }).end();
    });
    const { url } = await start(async (root) => {
      await root.register(securityHeaders, { contentSecurityPolicy: false });
      await root.register(lbFastify, { targets: [target] });
    });
    const { headers } = await httpGet(url);
    expect(headers).toMatchObject({ "x-frame-options": "DENY", "x-content-type-options": "nosniff" });
    expect(headers).not.toHaveProperty("content-security-policy");
  });
});
