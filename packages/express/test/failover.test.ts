import type { RequestListener } from "node:http";
import { describe, expect, it } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import { httpGet } from "../../core/test/support/http-get.ts";
import { rawBackend } from "../../core/test/support/raw-backend.ts";
import { exchange, RawClient } from "../../core/test/support/raw-client.ts";
import { deadUrl, startBackend } from "./support/backend.ts";
import { frameworks } from "./support/frameworks.ts";

const off = { passive: false, outlier: false } as const;
const cut: RequestListener = (request) => void request.socket.destroy();
const unavailable: RequestListener = (_request, response) => void response.writeHead(503).end("not now");

describe.each(frameworks)("$name: failover", ({ startGateway }) => {
  it("tries any method elsewhere where no connection can be had", async () => {
    const good = await startBackend("good");
    const targets = [await deadUrl(), good.url];
    const { url } = await startGateway({ targets, health: off, strategy: "round-robin" });
    for (const method of ["GET", "POST", "PATCH", "GET"]) {
      const body = method === "GET" ? "" : "payment";
      const { status, body: answer } = await httpGet(url, { method, ...(body === "" ? {} : { body }) });
      expect(status).toBe(200);
      expect(JSON.parse(answer)).toMatchObject({ backend: "good", method, body });
    }
    expect(good.seen).toHaveLength(4);
  });

  it("tries a request elsewhere that was cut, or answered 503, only if it may be done twice", async () => {
    for (const fault of [cut, unavailable]) {
      const [bad, good] = [await startBackend("bad", fault), await startBackend("good")];
      const { url } = await startGateway({ targets: [bad.url, good.url], health: off, strategy: "round-robin" });
      const statusOf = async (method: string) => (await httpGet(url, { method, body: "x" })).status;
      expect(await statusOf("PUT")).toBe(200);
      expect([bad.seen.length, good.seen.length]).toEqual([1, 1]);
      const statuses = [await statusOf("POST"), await statusOf("POST")].sort();
      expect(statuses).toEqual([200, fault === cut ? 502 : 503]);
      expect([bad.seen.length, good.seen.length]).toEqual([2, 2]);
    }
  });

  it("sends a body again as far as it was kept, and not at all beyond", async () => {
    const [bad, good] = [
      await startBackend("bad", (request) => void request.on("end", () => request.socket.destroy()).resume()),
      await startBackend("good"),
    ];
    const retry = { maxBodyBytes: 1_000 };
    const { url } = await startGateway({ targets: [bad.url, good.url], health: off, retry, strategy: "round-robin" });
    const short = await httpGet(url, { method: "PUT", body: "x".repeat(1_000) });
    expect(JSON.parse(short.body)).toMatchObject({ backend: "good", body: "x".repeat(1_000) });
    const statuses = [];
    for (let round = 0; round < 2; round++)
      statuses.push((await httpGet(url, { method: "PUT", body: "x".repeat(1_001) })).status);
    expect(statuses.sort()).toEqual([200, 502]);
  });

  it("no request fails when one of three targets is killed under load", async () => {
    const backends = [await startBackend("a"), await startBackend("b"), await startBackend("c")];
    const { url, gateway } = await startGateway({ targets: backends.map((backend) => backend.url) });
    const statuses: number[] = [];
    const load = Array.from({ length: 8 }, async () => {
      for (let round = 0; round < 40; round++) {
        statuses.push((await httpGet(`${url}/`)).status);
        if (statuses.length === 100) await backends[1]!.kill();
      }
    });
    await Promise.all(load);
    expect(statuses).toHaveLength(320);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(gateway.status().endpoints.map(({ health }) => health)).toEqual(["healthy", "ejected", "healthy"]);
  });

  it("what an answer says of a target does not depend on what is tried again", async () => {
    const good = await startBackend("good");
    for (const [status, health, found] of [
      [503, {}, "ejected"],
      [500, {}, "healthy"],
      [500, { passive: { on: ["5xx"] } }, "ejected"],
    ] as const) {
      const bad = await startBackend("bad", (_request, response) => void response.writeHead(status).end());
      const options = { retry: { on: ["connect-error"] }, strategy: "round-robin", health } as const;
      const { url, gateway } = await startGateway({ targets: [bad.url, good.url], ...options });
      for (let n = 0; n < 12; n++) await httpGet(url);
      expect(gateway.status().endpoints[0]).toMatchObject({ health: found });
    }
  });

  it("a target that comes back is asked again", async () => {
    const [a, b] = [await startBackend("a"), await startBackend("b")];
    const health = { active: { path: "/ping", intervalMs: 20, healthyAfter: 1, unhealthyAfter: 1 } };
    const { url, gateway } = await startGateway({ targets: [a.url, b.url], health, strategy: "round-robin" });
    const healthOf = (index: number) => gateway.status().endpoints[index]!.health;
    await b.kill();
    await eventually(() => healthOf(1) !== "healthy", { what: "the dead target is noticed" });
    for (let round = 0; round < 4; round++) expect((await httpGet(`${url}/`)).body).toContain('"a"');
    const back = await startBackend("b again", undefined, b.port);
    await eventually(() => healthOf(1) === "healthy", { what: "the target is back" });
    await httpGet(`${url}/`);
    await httpGet(`${url}/`);
    expect(back.seen.map(({ url: path }) => path)).toContain("/");
  });

  it("a kept connection that breaks as it is used again is made up for, once, and only if that is safe", async () => {
    // Answers one request a connection, and breaks it at the next.
    const brief = await rawBackend(async (connection) => {
      await connection.head();
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbrief");
      await connection.head();
      connection.socket.resetAndDestroy();
    });
    const { url, gateway } = await startGateway({ targets: [`http://127.0.0.1:${brief.port}`], health: off });
    expect((await httpGet(url)).body).toBe("brief");
    expect((await httpGet(url)).body).toBe("brief");
    expect(brief.connections).toBe(2);
    expect(gateway.status().endpoints[0]!.failures).toBe(0);
    expect((await httpGet(url, { method: "POST" })).status).toBe(502);
    expect(gateway.status().endpoints[0]!.failures).toBe(1);
    await brief.close();
  });

  it("retry: false tries nothing twice", async () => {
    const good = await startBackend("good");
    const targets = [await deadUrl(), good.url];
    const { url } = await startGateway({ targets, retry: false, health: off, strategy: "round-robin" });
    const statuses = [(await httpGet(url)).status, (await httpGet(url)).status];
    expect(statuses.sort()).toEqual([200, 502]);
  });
});

describe.each(frameworks)("$name: errors", ({ startGateway }) => {
  it("502, 503 and 504, with the code and in the type that the client prefers", async () => {
    const silent = await startBackend("silent", () => {});
    const noHttp = await rawBackend(async (connection) => {
      await connection.head();
      connection.send("no HTTP at all\r\n\r\n");
    });
    const dead = await deadUrl();
    const cases = [
      { targets: [dead], status: 502, code: "LB_UPSTREAM_CONNECT" },
      { targets: [`http://127.0.0.1:${noHttp.port}`], status: 502, code: "LB_UPSTREAM_INVALID" },
      { targets: [silent.url], timeouts: { responseMs: 50 }, status: 504, code: "LB_UPSTREAM_TIMEOUT" },
      { targets: [], queue: { maxWaitMs: 1 }, status: 503, code: "LB_UNAVAILABLE" },
    ];
    for (const { status, code, ...options } of cases) {
      const { url } = await startGateway({ ...options, health: off });
      const [json, html, plain, head] = await Promise.all([
        httpGet(url, { headers: { Accept: "application/json" } }),
        httpGet(url, { headers: { Accept: "text/html,*/*;q=0.1" } }),
        httpGet(url),
        httpGet(url, { method: "HEAD" }),
      ]);
      expect(json.status).toBe(status);
      expect(json.headers["content-type"]).toBe("application/json; charset=utf-8");
      expect(JSON.parse(json.body)).toMatchObject({ statusCode: status, code });
      expect(json.headers["retry-after"]).toBe(status === 503 ? "1" : undefined);
      expect([html.status, html.headers["content-type"]]).toEqual([status, "text/html; charset=utf-8"]);
      expect(html.body).toContain(`<h1>${status} `);
      expect([plain.status, plain.headers["content-type"]]).toEqual([status, "text/plain; charset=utf-8"]);
      // Where things are behind the gateway is nobody's business.
      expect(json.body + html.body + plain.body).not.toContain("127.0.0.1");
      expect([head.status, head.body]).toEqual([status, ""]);
    }
    await noHttp.close();
  });

  it("waits for a target where there is none", async () => {
    const { url: target } = await startBackend("late");
    const { url, gateway } = await startGateway({ targets: [] });
    const answer = httpGet(url);
    await eventually(() => gateway.status().waiting === 1, { what: "the request waits" });
    gateway.balancer.update([target]);
    expect((await answer).status).toBe(200);
  });

  it("a client that waits for a target and leaves waits no more", async () => {
    const { port, gateway } = await startGateway({ targets: [] });
    const client = await RawClient.connect(port);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await eventually(() => gateway.status().waiting === 1, { what: "the request waits" });
    client.destroy();
    await eventually(() => gateway.status().waiting === 0, { what: "nobody waits" });
  });

  it("a response that stalls is cut after responseMs", async () => {
    const { url: target } = await startBackend("stalls", (_request, response) => void response.write("half"));
    const { port } = await startGateway({ targets: [target], timeouts: { responseMs: 50 } });
    await expect(exchange(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")).rejects.toThrow(/connection ended/);
  });

  it("passErrors leaves them to the framework", async () => {
    const { url } = await startGateway({ targets: [await deadUrl()], passErrors: true });
    const { status, headers } = await httpGet(url);
    expect(status).toBe(502);
    expect(headers["cache-control"]).toBeUndefined();
  });

  it("close() refuses what comes later and lets the rest end", async () => {
    let finish = () => {};
    const {
      url: target,
      seen,
      sockets,
    } = await startBackend("a", (_request, response) => {
      finish = () => response.end("done");
    });
    const { url, gateway } = await startGateway({ targets: [target] });
    const under = httpGet(url);
    await eventually(() => seen.length === 1, { what: "a request under way" });
    await gateway.close();
    expect((await httpGet(url)).status).toBe(503);
    finish();
    expect((await under).body).toBe("done");
    await eventually(() => sockets.size === 0, { what: "no connection is left" });
  });
});

describe.each(frameworks)("$name: targets and affinity", ({ startGateway }) => {
  it("asks a targets function again and again, and keeps the last list where it fails", async () => {
    const [a, b] = [await startBackend("a"), await startBackend("b")];
    let answer: () => string[] | Promise<string[]> = () => [a.url];
    const errors: string[] = [];
    const { url, gateway } = await startGateway({
      targets: () => answer(),
      refreshMs: 10,
      onError: ({ code }) => errors.push(code),
    });
    expect((await httpGet(url)).body).toContain('"a"');
    answer = async () => [b.url];
    await eventually(() => gateway.status().endpoints.some((endpoint) => endpoint.url === b.url), { what: "b" });
    expect((await httpGet(url)).body).toContain('"b"');
    answer = () => Promise.reject(new Error("no registry"));
    await eventually(() => errors.length > 1, { what: "errors" });
    answer = () => ["no URL"];
    const told = errors.length;
    await eventually(() => errors.length > told + 1, { what: "more errors" });
    expect((await httpGet(url)).body).toContain('"b"');
    expect(new Set(errors)).toEqual(new Set(["LB_RULE"]));
  });

  it("a cookie keeps a client where it is; targets do not see it, and a forged one counts for nothing", async () => {
    const backends = [await startBackend("a"), await startBackend("b"), await startBackend("c")];
    const { url } = await startGateway({ targets: backends.map((backend) => backend.url), affinity: "cookie" });
    const first = await httpGet(url);
    const [cookie] = first.headers["set-cookie"]![0]!.split(";");
    const { backend } = JSON.parse(first.body);
    for (let round = 0; round < 6; round++) {
      const { headers, body } = await httpGet(url, { headers: { Cookie: `theme=dark; ${cookie}` } });
      expect(headers["set-cookie"]).toBeUndefined();
      expect(JSON.parse(body)).toMatchObject({ backend, headers: { cookie: "theme=dark" } });
    }
    const alone = await httpGet(url, { headers: { Cookie: cookie! } });
    expect(JSON.parse(alone.body).headers).not.toHaveProperty("cookie");
    const forged = await httpGet(url, { headers: { Cookie: `${cookie!.slice(0, -2)}xx` } });
    expect(forged.headers["set-cookie"]).toHaveLength(1);
    const bound = backends.find(({ seen }) => seen[0]?.backend === backend)!;
    await bound.kill();
    const moved = await httpGet(url, { headers: { Cookie: cookie! } });
    expect(moved.status).toBe(200);
    expect(moved.headers["set-cookie"]).toHaveLength(1);
  });

  it("affinity by address takes IPv4 and its IPv6 form for one, and a trusted proxy's word", async () => {
    const backends = await Promise.all(["a", "b", "c", "d", "e"].map((name) => startBackend(name)));
    const targets = backends.map((backend) => backend.url);
    const { url } = await startGateway({ targets, affinity: "ip", trustProxy: true });
    const of = async (address: string) =>
      JSON.parse((await httpGet(url, { headers: { "X-Forwarded-For": address } })).body).backend;
    const addresses = Array.from({ length: 20 }, (_, index) => `192.0.2.${index}`);
    const plain = await Promise.all(addresses.map(of));
    expect(await Promise.all(addresses.map((address) => of(`::FFFF:${address}`)))).toEqual(plain);
    expect(new Set(plain).size).toBeGreaterThan(1);
  });
});
