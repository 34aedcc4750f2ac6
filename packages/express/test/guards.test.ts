import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { eventually } from "../../core/test/support/eventually.ts";
import { freePorts } from "../../core/test/support/free-ports.ts";
import { httpGet } from "../../core/test/support/http-get.ts";
import { exchange, RawClient } from "../../core/test/support/raw-client.ts";
import { startBackend } from "./support/backend.ts";
import { frameworks, type Guards } from "./support/frameworks.ts";

describe.each(frameworks)("$name: guards", ({ startGateway }) => {
  async function start(guards: Guards, trustProxy = false) {
    const { url: target } = await startBackend("a");
    return startGateway({ targets: [target], guards, trustProxy });
  }

  /** An app whose requests under /held wait until they are let go. */
  async function holding(guards: Guards, trustProxy = false) {
    const held: (() => void)[] = [];
    const backend = await startBackend("a", (request, response) => {
      if (request.url === "/held") held.push(() => response.end("held"));
      else response.end("free");
    });
    return { ...(await startGateway({ targets: [backend.url], guards, trustProxy })), held };
  }

  describe("health", () => {
    const checks = {
      database: () => "42 rows",
      queue: async () => {
        if (!queueWorks) throw new Error("queue at 10.1.2.3 is gone");
      },
    };
    let queueWorks = true;

    it("answers at its paths, lets everything else pass", async () => {
      queueWorks = true;
      const { url } = await start({ health: { checks, cacheMs: 0 } });
      for (const path of ["/health", "/health/live", "/health/ready"]) {
        const { status, headers, body } = await httpGet(`${url}${path}?x`);
        expect([status, JSON.parse(body)]).toEqual([200, { status: "ok" }]);
        expect(headers["cache-control"]).toBe("no-store");
      }
      expect((await httpGet(`${url}/health`, { method: "HEAD" })).body).toBe("");
      for (const path of ["/", "/healthy", "/health/other", "/toString"]) {
        expect(JSON.parse((await httpGet(url + path)).body)).toMatchObject({ backend: "a", url: path });
      }
    });

    it("is 503 when a check fails or takes too long, and alive all the same", async () => {
      queueWorks = false;
      const { url } = await start({ health: { checks, cacheMs: 0, timeoutMs: 20 } });
      expect(await httpGet(`${url}/health/ready`)).toMatchObject({ status: 503, body: '{"status":"failed"}\n' });
      expect((await httpGet(`${url}/health/live`)).status).toBe(200);
      queueWorks = true;
      expect((await httpGet(`${url}/health/ready`)).status).toBe(200);
      let aborted: unknown;
      const hangs = (signal: AbortSignal) =>
        new Promise(() => {
          signal.addEventListener("abort", () => {
            aborted = signal.reason;
          });
        });
      const slow = await start({ health: { checks: { hangs }, timeoutMs: 20, trusts: "loopback" } });
      const { status, body } = await httpGet(`${slow.url}/health/detailed`);
      expect(status).toBe(503);
      expect(JSON.parse(body).checks.hangs).toMatchObject({ status: "failed", error: "took longer than 20 ms" });
      expect(aborted).toBeInstanceOf(Error);
    });

    it("tells details to nobody, or to whom it is told to trust", async () => {
      queueWorks = false;
      const silent = await start({ health: { checks } });
      expect(JSON.parse((await httpGet(`${silent.url}/health/detailed`)).body)).toEqual({ status: "failed" });
      const { url } = await start({ health: { checks, trusts: "loopback", token: "0123456789abcdef" } });
      const local = JSON.parse((await httpGet(`${url}/health/detailed`)).body);
      expect(local).toMatchObject({ status: "failed", pid: process.pid });
      expect(local.checks.database).toMatchObject({ status: "ok", details: "42 rows" });
      expect(local.checks.queue).toMatchObject({ status: "failed", error: "queue at 10.1.2.3 is gone" });
      const distant = [
        { "X-Forwarded-For": "203.0.113.9" },
        { "X-Forwarded-For": "127.0.0.1, 203.0.113.9" },
        { "X-Real-IP": "203.0.113.9" },
        { Via: "1.1 proxy" },
        { Forwarded: "for=127.0.0.1" },
      ];
      for (const headers of distant) {
        const { status, body } = await httpGet(`${url}/health/detailed`, { headers });
        expect([status, JSON.parse(body)]).toEqual([503, { status: "failed" }]);
      }
      for (const [token, keys] of [
        ["0123456789abcdef", 4],
        ["0123456789abcdee", 1],
      ] as const) {
        const headers = { ...distant[0], Authorization: `Bearer ${token}` };
        const { body } = await httpGet(`${url}/health/detailed`, { headers });
        expect(Object.keys(JSON.parse(body))).toHaveLength(keys);
      }
      const trusts = async (request: { headers: Record<string, unknown> }) => request.headers["x-token"] === "right";
      const own = await start({ health: { checks, trusts: trusts as never } });
      expect(JSON.parse((await httpGet(`${own.url}/health/detailed`)).body)).toEqual({ status: "failed" });
      const right = await httpGet(`${own.url}/health/detailed`, { headers: { "X-Token": "right" } });
      expect(JSON.parse(right.body)).toHaveProperty("checks");
    });

    it("asks its checks once for many, and not more often than cacheMs says", async () => {
      let asked = 0;
      const count = async () => {
        asked += 1;
      };
      const { url } = await start({ health: { checks: { count }, cacheMs: 60_000 } });
      await Promise.all(Array.from({ length: 10 }, () => httpGet(`${url}/health`)));
      await httpGet(`${url}/health`);
      expect(asked).toBe(1);
    });

    it("is ready when the app says so, and not when it says that", async () => {
      const { url, readiness } = await start({ health: { startsReady: false, statusOk: 204, statusError: 500 } });
      const ready = async () => (await httpGet(`${url}/health/ready`)).status;
      expect(await httpGet(`${url}/health`)).toMatchObject({ status: 500, body: '{"status":"not-ready"}\n' });
      expect((await httpGet(`${url}/health/live`)).status).toBe(204);
      readiness!.signalReady();
      expect(await ready()).toBe(204);
      readiness!.signalNotReady();
      expect([await ready(), (await httpGet(url)).status]).toEqual([500, 200]);
    });

    it("has a port of its own if that is asked for, and the app does not answer then", async () => {
      const port = await freePorts(1);
      const { url } = await start({ health: { listen: { port, host: "127.0.0.1" }, token: "0123456789abcdef" } });
      const own = `http://127.0.0.1:${port}`;
      await eventually(
        () =>
          httpGet(`${own}/health/live`).then(
            ({ status }) => status === 200,
            () => false,
          ),
        { what: "it listens" },
      );
      const details = await httpGet(`${own}/health/detailed`, {
        headers: { Authorization: "Bearer 0123456789abcdef" },
      });
      expect(JSON.parse(details.body)).toMatchObject({ status: "ok", checks: {} });
      expect((await httpGet(`${own}/other`)).status).toBe(404);
      expect(JSON.parse((await httpGet(`${url}/health`)).body)).toMatchObject({ backend: "a", url: "/health" });
    });

    it("is 503 at once when the process is about to end, checks or not", async () => {
      const ending = new AbortController();
      const { url } = await start({ health: { signal: ending.signal, path: "/-/health" } });
      expect((await httpGet(`${url}/-/health/ready`)).status).toBe(200);
      ending.abort();
      expect(await httpGet(`${url}/-/health/ready`)).toMatchObject({ status: 503, body: '{"status":"draining"}\n' });
      expect((await httpGet(`${url}/-/health/live`)).status).toBe(200);
    });
  });

  it("drain: first Connection: close, then 503 with Retry-After, for WebSockets too", async () => {
    const ending = new AbortController();
    const { signal } = ending;
    const patient = await start({ drain: { signal, refuseAfterMs: 60_000 } });
    const { url, port } = await start({ drain: { signal, refuseAfterMs: 0, retryAfterSeconds: 7 } });
    const client = await RawClient.connect(patient.port);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect((await client.response()).headers["connection"]).toBe("keep-alive");
    expect((await httpGet(url)).status).toBe(200);
    ending.abort();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await client.response()).toMatchObject({ status: 200, headers: { connection: "close" } });
    await client.closed;
    const json = await httpGet(url, { headers: { Accept: "application/json" } });
    expect(json).toMatchObject({ status: 503, headers: { "retry-after": "7" } });
    expect(JSON.parse(json.body)).toMatchObject({ code: "LB_DRAINING" });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    const error = await new Promise<Error>((failed) => socket.once("error", failed));
    expect(error.message).toContain("503");
  });

  it("overload: refuses beyond maxInFlight, and takes requests again", async () => {
    const { url, held } = await holding({
      overload: { maxInFlight: 2, maxEventLoopUtilization: 1, retryAfterSeconds: 3 },
    });
    const under = [httpGet(`${url}/held`), httpGet(`${url}/held`)];
    await eventually(() => held.length === 2, { what: "two under way" });
    expect(await httpGet(`${url}/`)).toMatchObject({ status: 503, headers: { "retry-after": "3" } });
    for (const release of held) release();
    expect((await Promise.all(under)).map(({ body }) => body)).toEqual(["held", "held"]);
    await eventually(async () => (await httpGet(`${url}/`)).status === 200, { what: "requests pass" });
  });

  it("overload: refuses while the event loop has no time left", async () => {
    const { url } = await start({ overload: { maxEventLoopUtilization: 0.9 } });
    await eventually(async () => (await httpGet(url)).status === 200, { what: "requests pass" });
    const afterBusyTime = async () => {
      const answer = httpGet(url);
      const until = performance.now() + 250;
      await new Promise((turn) => setImmediate(turn));
      while (performance.now() < until);
      return (await answer).status;
    };
    await eventually(async () => (await afterBusyTime()) === 503, { what: "a refusal" });
    await eventually(async () => (await httpGet(url)).status === 200, { what: "requests pass" });
  });

  it("connectionLimit: counts connections in use by client address, WebSockets until they close (79, 85)", async () => {
    const { url, port, held } = await holding({ connectionLimit: { perAddress: 2 } }, true);
    const from = (address: string, path: string) => httpGet(url + path, { headers: { "X-Forwarded-For": address } });
    const under = [from("192.0.2.1:4711", "/held"), from("::ffff:192.0.2.1", "/held")];
    await eventually(() => held.length === 2, { what: "two under way" });
    expect(await from("192.0.2.1", "/")).toMatchObject({ status: 429, headers: { "retry-after": "1" } });
    expect((await from("192.0.2.2", "/")).status).toBe(200);
    for (const release of held) release();
    await Promise.all(under);
    await eventually(async () => (await from("192.0.2.1", "/")).status === 200, { what: "requests pass" });
    const sockets = [0, 1].map(() => new WebSocket(`ws://127.0.0.1:${port}/`));
    onTestFinished(() => {
      for (const socket of sockets) socket.terminate();
    });
    await Promise.all(sockets.map((socket) => new Promise((opened) => socket.once("open", opened))));
    expect((await from("127.0.0.1", "/")).status).toBe(429);
    sockets[0]!.close();
    await eventually(async () => (await from("127.0.0.1", "/")).status === 200, { what: "requests pass" });
  });

  it("identity: says nothing in a process that is no instance", async () => {
    const { url } = await start({ identity: {} });
    const { headers } = await httpGet(url);
    expect(headers).not.toHaveProperty("x-instance-id");
  });

  it("httpsRedirect: by what a trusted proxy says, to the host that was asked for", async () => {
    const { port } = await start({ httpsRedirect: { port: 8443, hosts: ["app.example"] } }, true);
    const ask = (target: string, ...lines: string[]) =>
      exchange(port, [`GET ${target} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
    expect(await ask("/a//b?c=%20", "Host: app.example:8080")).toMatchObject({
      status: 308,
      headers: { location: "https://app.example:8443/a//b?c=%20" },
    });
    const proxied = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"];
    expect((await ask("/", "Host: app.example", ...proxied)).status).toBe(200);
    expect(await ask("/", "Host: APP.example")).toMatchObject({ headers: { location: "https://APP.example:8443/" } });
    for (const host of ["app.example/evil", "evil.example", "app.example.evil.example", "evil@app.example"]) {
      expect((await ask("/", `Host: ${host}`)).status).toBe(400);
    }
    await expect(start({ httpsRedirect: {} })).rejects.toThrow(/"hosts".*say where to go/);
    const untrusted = await start({ httpsRedirect: { hosts: "any" } });
    const answer = await exchange(untrusted.port, `GET //x HTTP/1.1\r\nHost: [::1]\r\n${proxied.join("\r\n")}\r\n\r\n`);
    expect(answer).toMatchObject({ status: 308, headers: { location: "https://[::1]//x" } });
  });

  it("options that cannot be used are refused with their name and a remedy", async () => {
    await expect(start({ connectionLimit: { perAddress: 0 } })).rejects.toThrow(/"perAddress".*at least 1/);
    await expect(start({ health: { path: "health" } })).rejects.toThrow(/"path".*begins with/);
    await expect(start({ identity: { headr: "X" } as never })).rejects.toThrow(/did you mean "header"/);
    await expect(startGateway({ targets: "worker" as never })).rejects.toThrow(/"targets".*"workers"/);
    await expect(startGateway({ targets: "workers" })).rejects.toThrow(/no instance of a cluster/);
    const headers = { response: { "X-Split": "a\r\nb" } };
    await expect(startGateway({ targets: [], headers })).rejects.toThrow(/"headers.response.X-Split".*line breaks/);
    await expect(startGateway({ targets: ["ftp://x"] })).rejects.toThrow(/http/);
  });
});
