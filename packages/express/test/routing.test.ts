import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { httpGet } from "../../core/test/support/http-get.ts";
import { exchange } from "../../core/test/support/raw-client.ts";
import { balance } from "../src/index.ts";
import { startBackend } from "./support/backend.ts";
import { type CommonRequest, expressFrameworks, frameworks, listening } from "./support/frameworks.ts";

describe.each(frameworks)("$name: where a request goes", ({ startGateway }) => {
  it("a router names a target for each request, at once or later, or leaves it to the targets", async () => {
    const [own, a, b] = [await startBackend("own"), await startBackend("a"), await startBackend("b")];
    const router = ({ headers }: CommonRequest) => {
      if (headers["x-tenant"] === "a") return a.url;
      return headers["x-tenant"] === "b" ? Promise.resolve([{ url: new URL(b.url), weight: 2 }]) : undefined;
    };
    const { url, gateway } = await startGateway({ targets: [own.url], router });
    const seenBy = async (tenant: string) =>
      JSON.parse((await httpGet(url, { headers: { "X-Tenant": tenant } })).body).backend;
    expect([await seenBy("a"), await seenBy("b"), await seenBy("c"), await seenBy("a")]).toEqual([
      "a",
      "b",
      "own",
      "a",
    ]);
    expect(gateway.status()).toMatchObject({
      endpoints: [{ url: own.url }],
      routed: [{ endpoints: [{ url: b.url }] }, { endpoints: [{ url: a.url, inFlight: 0 }] }],
    });
    const socket = new WebSocket(url.replace("http", "ws"), { headers: { "X-Tenant": "b" } });
    const said = new Promise((resolve) => socket.on("message", (text) => resolve(String(text))));
    socket.on("open", () => socket.send("hello"));
    expect(await said).toBe("b:hello");
    socket.terminate();
  });

  it("a router can leave a request to what comes next", async () => {
    const { url: target } = await startBackend("a");
    const { url } = await startGateway({ router: ({ method }) => (method === "GET" ? target : "next") });
    expect((await httpGet(url)).status).toBe(200);
    expect((await httpGet(url, { method: "DELETE" })).status).toBe(404);
  });

  it("a router that fails, or names no target, is an error of the app's", async () => {
    const errors: string[] = [];
    const router = ({ headers }: CommonRequest) => {
      if (headers["x-how"] === "throws") throw new Error("broken");
      return headers["x-how"] === "rejects" ? Promise.reject(new Error("broken")) : "no url";
    };
    const { url } = await startGateway({ router, onError: ({ code }) => errors.push(code) });
    for (const how of ["throws", "rejects", "returns"]) {
      expect((await httpGet(url, { headers: { "X-How": how } })).status).toBe(500);
    }
    expect(errors).toEqual(["LB_RULE", "LB_RULE", "LB_RULE"]);
    await expect(startGateway({})).rejects.toThrow(/"targets" .* router says/);
  });

  it("targets have a base path, and several on one host are several", async () => {
    const { url: target, seen } = await startBackend("a");
    const targets = [`${target}/v1/`, `${target}/v2`];
    const { url, gateway } = await startGateway({ targets, strategy: "round-robin", mount: "/api" });
    for (const path of ["/api/x?y=1", "/api/x//z"]) await httpGet(url + path);
    expect(seen.map(({ url: path }) => path)).toEqual(["/v1/x?y=1", "/v2/x//z"]);
    expect(gateway.status().endpoints.map(({ url: base }) => base)).toEqual([`${target}/v1`, `${target}/v2`]);
  });

  it("the mount's prefix without a slash is the base path without one", async () => {
    const { url: target } = await startBackend("a");
    const seen = async (options: object, path: string) => {
      const { url } = await startGateway({ mount: "/api", ...options });
      return JSON.parse((await httpGet(url + path)).body).url;
    };
    const based = { targets: [`${target}/base`] };
    expect([await seen(based, "/api"), await seen(based, "/api?x"), await seen(based, "/api/?x")]).toEqual([
      "/base",
      "/base?x",
      "/base/?x",
    ]);
    const template = { targets: [target], path: "/v2" };
    expect([await seen(template, "/api"), await seen(template, "/api/")]).toEqual(["/v2", "/v2/"]);
    expect(await seen({ targets: [target] }, "/api")).toBe("/");
  });

  it("no path leads out of a base path, or of one that options put before it (BAD-INPUTS 57)", async () => {
    const { url: target, seen } = await startBackend("a");
    const status = async (options: object, path: string, more = "") => {
      const { port } = await startGateway({ mount: "/api", ...options });
      return (await exchange(port, `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`)).status;
    };
    const based = { targets: [`${target}/base`] };
    for (const options of [
      based,
      { targets: [target], path: "/v2" },
      { ...based, mirror: { targets: [`${target}/copy`] } },
    ]) {
      expect([await status(options, "/api/x%2f..%2f..%2fadmin"), await status(options, "/api/%2E%2e/admin")]).toEqual([
        400, 400,
      ]);
    }
    const socket = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n`;
    expect(await status(based, "/api/..%2fadmin", socket)).toBe(400);
    expect(seen).toEqual([]);
    expect(await status({ targets: [target] }, "/api/x%2f..%2fy")).toBe(200);
  });

  it("parameters of the route stand in the path (BAD-INPUTS 57)", async () => {
    const { url: target } = await startBackend("a");
    const targets = [`${target}/base`];
    const { port } = await startGateway({ targets, mount: "/tenants/:tenant/api", path: "/v2/:tenant" });
    const ask = async (path: string) => {
      const { status, body } = await exchange(port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      return status === 200 ? JSON.parse(body.toString()).url : status;
    };
    expect(await ask("/tenants/a%20b/api/x?y")).toBe("/base/v2/a%20b/x?y");
    expect(await ask("/tenants/a%2Fb/api/x")).toBe("/base/v2/a%2Fb/x");
    expect(await ask("/tenants/%2e%2E/api/x")).toBe(400);
    const elsewhere = await startGateway({ targets, path: "/:nobody" });
    expect((await httpGet(elsewhere.url)).status).toBe(500);
  });

  it("a path that takes its time is waited for", async () => {
    const { url: target } = await startBackend("a");
    const path = async (stripped: string, { method }: CommonRequest) => {
      if (stripped === "/fails") throw new Error("broken");
      return `/${method}${stripped}`;
    };
    const { url } = await startGateway({ targets: [target], path });
    expect(JSON.parse((await httpGet(`${url}/x`)).body).url).toBe("/GET/x");
    expect((await httpGet(`${url}/fails`)).status).toBe(500);
  });
});

describe("plain node:http", () => {
  it("a middleware called by hand serves, and next is called for what it leaves", async () => {
    const { url: target } = await startBackend("a");
    const gateway = balance({ router: ({ url }) => (url === "/next" ? "next" : target) });
    const server = createServer((request, response) => {
      gateway(request, response, () => response.writeHead(204).end());
    });
    const { url } = await listening(server.listen(0, "127.0.0.1"));
    expect((await httpGet(`${url}/x`)).status).toBe(200);
    expect((await httpGet(`${url}/next`)).status).toBe(204);
    await gateway.close();
  });
});

describe.each(expressFrameworks)("$name: parameters", ({ startGateway }) => {
  it("the request is Express's own", async () => {
    const { url: target } = await startBackend("a");
    const path = (stripped: string, { params }: CommonRequest) => `/${(params as { id: string }).id}${stripped}`;
    const { url } = await startGateway({ targets: [target], mount: "/users/:id", path });
    expect(JSON.parse((await httpGet(`${url}/users/7/x`)).body).url).toBe("/7/x");
  });
});
