// The health endpoints of the public port, in both modes, on new connections and on such as an instance has already.
import { Agent } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { isUnread } from "./support/edge.ts";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { startPrimary } from "./support/primary-process.ts";
import { RawClient } from "./support/raw-client.ts";

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  const token = "0123456789abcdef";
  const start = (options: object = {}) =>
    startPrimary("app.ts", {
      env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode, instances: 2, healthEndpoints: { token }, ...options }) },
    });

  function keptAlive(): Agent {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    return agent;
  }

  test("they answer for the cluster, whoever has the connection, and are not counted as the app's", async () => {
    const { primary, up } = await start();
    const agent = keptAlive();
    for (const path of ["/health", "/health/live?probe=1", "/health/ready"]) {
      const fresh = await httpGet(`${up.url}${path}`);
      expect([path, fresh.status, JSON.parse(fresh.body).status]).toEqual([path, 200, "ok"]);
      expect(fresh.headers).toMatchObject({ "content-type": "application/json", "cache-control": "no-store" });
    }
    // A connection that nobody has read counts where it goes.
    if (!isUnread(mode)) {
      expect((await primary.status()).instances.map(({ requests }) => requests)).toEqual([0, 0]);
    }
    // The first request gives the connection to an instance in hand-off mode.
    expect((await httpGet(`${up.url}/health-of-the-app`, { agent })).headers["content-type"]).not.toBe(
      "application/json",
    );
    for (const path of ["/health", "/health/ready"]) {
      const kept = await httpGet(`${up.url}${path}`, { agent });
      expect([kept.status, JSON.parse(kept.body)]).toEqual([200, { status: "ok", ready: 2, instances: 2 }]);
    }
    for (const via of [agent, keptAlive()]) {
      const ask = (headers: Record<string, string>) => httpGet(`${up.url}/health/detailed`, { agent: via, headers });
      const detailed = await ask({ authorization: `Bearer ${token}` });
      expect(JSON.parse(detailed.body).cluster).toMatchObject({ mode, pid: up.pid });
      for (const headers of [{}, { authorization: "Bearer 0123456789abcdee" }]) {
        expect((await ask(headers)).status).toBe(403);
      }
    }
  });

  test("a request with a body, or of another method, is the app's; HEAD gets no body", async () => {
    const { up } = await start();
    const client = await RawClient.ofTest(up.port);
    client.send("POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    expect((await client.response()).headers["content-type"]).not.toBe("application/json");
    const { status, headers, body } = await httpGet(`${up.url}/health`, { method: "HEAD" });
    expect([status, headers["content-type"], body]).toEqual([200, "application/json", ""]);
    expect(Number(headers["content-length"])).toBeGreaterThan(10);
  });

  test("they say 503 when nobody takes traffic, and while the end is announced, when requests still are answered", async () => {
    const { primary, up } = await start({
      instances: 1,
      shutdownDelayMs: 3_000,
      restart: { delayMs: 60_000, maxDelayMs: 60_000 },
    });
    const agent = keptAlive();
    await httpGet(up.url, { agent });
    const ended = primary.close(1_000);
    await eventually(async () => (await httpGet(`${up.url}/health/ready`)).status === 503, { what: "it is not ready" });
    const kept = await httpGet(`${up.url}/health/ready`, { agent });
    expect([kept.status, JSON.parse(kept.body).status]).toEqual([503, "draining"]);
    expect((await httpGet(`${up.url}/slow?ms=1`)).status).toBe(200);
    await ended;
  });

  // A connection that nobody reads waits for the next instance.
  test.runIf(!isUnread(mode))("they say 503 when the last instance has died", async () => {
    const { primary, up } = await start({ instances: 1, restart: { delayMs: 60_000, maxDelayMs: 60_000 } });
    process.kill(up.instances[0]!.pid!, "SIGKILL");
    await primary.event("exit", () => true);
    const { status, body } = await httpGet(`${up.url}/health`);
    expect([status, JSON.parse(body).status]).toEqual([503, "unavailable"]);
    expect((await httpGet(`${up.url}/health/live`)).status).toBe(200);
  });
});
