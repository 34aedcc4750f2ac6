import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import { httpGet } from "../../core/test/support/http-get.ts";
import { redisRates } from "../src/index.ts";
import { deadUrl, startBackend } from "./support/backend.ts";
import { frameworks, type Guards } from "./support/frameworks.ts";
import { startRedis } from "./support/redis-server.ts";

describe.each(frameworks)("$name: rateLimit", ({ name: framework, startGateway }) => {
  async function start(rateLimit: Guards["rateLimit"]) {
    const { url: target } = await startBackend("a");
    return startGateway({ targets: [target], guards: { rateLimit: rateLimit! }, trustProxy: true });
  }
  const from = (url: string, address: string, more: Record<string, string> = {}) =>
    httpGet(url, { headers: { "X-Forwarded-For": address, ...more } });

  it("lets a burst pass, then refuses; each client has its own count", async () => {
    const { url } = await start({ name: `${framework} 1`, points: 10, windowMs: 60_000, burst: 2 });
    for (const remaining of ["2", "1", "0"]) {
      const { status, headers } = await from(url, "192.0.2.1");
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        "ratelimit-limit": "3",
        "ratelimit-remaining": remaining,
        "ratelimit-policy": "10;w=60;burst=2",
      });
    }
    const refused = await from(url, "192.0.2.1", { Accept: "application/json" });
    expect(refused).toMatchObject({ status: 429, headers: { "retry-after": "6", "ratelimit-remaining": "0" } });
    expect(Number(refused.headers["ratelimit-reset"])).toBeGreaterThan(12);
    expect(JSON.parse(refused.body)).toMatchObject({ statusCode: 429, code: "LB_RATE_LIMITED" });
    // However a client writes its address (85), and whichever it takes of its network.
    expect((await from(url, "::FFFF:192.0.2.1")).status).toBe(429);
    expect((await from(url, "::ffff:c000:201")).status).toBe(429);
    for (const port of [1, 5_678]) expect((await from(url, `192.0.2.1:${port}`)).status).toBe(429);
    // What is no address is no client: it counts for the peer.
    const unknown = await Promise.all(["unknown", "_1", "_2", "_3"].map((name) => from(url, name)));
    expect(unknown.filter(({ status }) => status === 429)).toHaveLength(1);
    expect((await from(url, "192.0.2.2")).status).toBe(200);
    const network = await Promise.all(["::1", "::2", ":1::", ":FFFF::3"].map((end) => from(url, `2001:db8:1:2${end}`)));
    expect(network.filter(({ status }) => status === 429)).toHaveLength(1);
  });

  it("counts by a key of one's own, of any length, or not at all", async () => {
    const key = (request: { headers: Record<string, unknown> }) => request.headers["x-user"] as string | undefined;
    const { url } = await start({ name: `${framework} 3`, points: 1, windowMs: 60_000, key: key as never });
    for (const user of ["a", "b".repeat(5_000)]) {
      expect((await httpGet(url, { headers: { "X-User": user } })).status).toBe(200);
      expect((await httpGet(url, { headers: { "X-User": user } })).status).toBe(429);
    }
    for (let round = 0; round < 3; round++) {
      const { status, headers } = await httpGet(url);
      expect([status, headers["ratelimit-limit"]]).toEqual([200, undefined]);
    }
  });

  it("takes a key that comes later, and says what is wrong with one that cannot be used", async () => {
    const later = async (request: { headers: Record<string, unknown> }) => Number(request.headers["x-user"]);
    const { url } = await start({ name: `${framework} 6`, points: 1, windowMs: 60_000, key: later as never });
    const statuses = ["1", "1", "2"].map((user) => () => httpGet(url, { headers: { "X-User": user } }));
    expect((await statuses[0]!()).status).toBe(200);
    expect((await statuses[1]!()).status).toBe(429);
    expect((await statuses[2]!()).status).toBe(200);
    const wrong = await start({ points: 1, key: (() => ({})) as never });
    const { status, body } = await httpGet(wrong.url);
    expect(status).toBe(500);
    expect(body).toContain("key");
  });

  it("each limit counts by itself, also where the numbers are those of another", async () => {
    const limit = { points: 1, windowMs: 59_000 };
    const [one, another] = [await start(limit), await start(limit)];
    for (const { url } of [one, another]) {
      expect((await from(url, "192.0.2.7")).status).toBe(200);
      expect((await from(url, "192.0.2.7")).status).toBe(429);
    }
  });

  it("counts in Redis, together with others, and alone while that is away", async () => {
    const server = await startRedis();
    const clients = [0, 1].map(() => {
      const client = new Redis(server.path, { maxRetriesPerRequest: 0, retryStrategy: () => null });
      client.on("error", () => {});
      onTestFinished(() => client.disconnect());
      return client;
    });
    const told: string[] = [];
    const gateways = await Promise.all(
      clients.map((client) =>
        start({
          name: `${framework} 4`,
          points: 10,
          windowMs: 600_000,
          burst: 20,
          store: redisRates(client),
          onError: ({ code }) => told.push(code),
        }),
      ),
    );
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => from(gateways[index % 2]!.url, "192.0.2.1")),
    );
    const passed = answers.filter(({ status }) => status === 200).map(({ headers }) => headers["ratelimit-remaining"]);
    expect(passed.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 21 }, (_, index) => index));
    const refused = answers.find(({ status }) => status === 429)!;
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(55);
    expect(await clients[0]!.keys("*")).toEqual([`lb:rate:${framework} 4 192.0.2.1`]);
    expect(told).toEqual([]);
    await server.stop();
    expect((await from(gateways[0]!.url, "192.0.2.1")).status).toBe(200);
    expect(told).toEqual(["LB_RATE_STORE"]);
  });

  it("waits for no Redis that is not there", async () => {
    const client = new Redis(Number(new URL(await deadUrl()).port), "127.0.0.1");
    client.on("error", () => {});
    onTestFinished(() => client.disconnect());
    const told: string[] = [];
    const { url } = await start({
      name: `${framework} 5`,
      points: 2,
      windowMs: 600_000,
      store: redisRates(client),
      onError: ({ message }) => told.push(message),
    });
    const statuses: number[] = [];
    for (let round = 0; round < 3; round++) statuses.push((await from(url, "192.0.2.1")).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(told).toHaveLength(1);
  });
});

it("redisRates: takes no client of another package", () => {
  expect(() => redisRates({ isOpen: true, evalSha() {}, eval() {} } as never)).toThrow(/"redis".*ioredis/);
});

it("redisRates: lets as many pass as time has, and forgets who has been at rest", async () => {
  const { path } = await startRedis();
  const client = new Redis(path);
  onTestFinished(() => client.disconnect());
  const rates = redisRates(client, { prefix: "own:" });
  const rate = { points: 1, windowMs: 1_000, burst: 1 };
  const first = await rates.take("a", rate);
  expect(first).toMatchObject({ allowed: true, remaining: 1, retryMs: 0 });
  expect(await rates.take("a", rate)).toMatchObject({ allowed: true, remaining: 0 });
  const refused = await rates.take("a", rate);
  expect(refused).toMatchObject({ allowed: false, remaining: 0 });
  expect(refused.retryMs).toBeGreaterThan(0);
  expect(refused.retryMs).toBeLessThanOrEqual(1_000);
  expect(refused.resetMs).toBeCloseTo(refused.retryMs + 1_000, 0);
  expect(await client.keys("*")).toEqual(["own:a"]);
  await eventually(async () => (await rates.take("a", rate)).allowed, { what: "the next one" });
  await eventually(async () => (await client.dbsize()) === 0, { what: "nothing is kept" });
});
