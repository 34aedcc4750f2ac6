import fastify from "fastify";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import { httpGet } from "../../core/test/support/http-get.ts";
import { rateLimit as fastifyRateLimit } from "../src/fastify.ts";
import { type RateRefusal, redisRates } from "../src/index.ts";
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
    const { url } = await start({ name: `${framework} 1`, points: 10, windowMs: 600_000, burst: 2 });
    for (const remaining of ["2", "1", "0"]) {
      const { status, headers } = await from(url, "192.0.2.1");
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        "ratelimit-limit": "3",
        "ratelimit-remaining": remaining,
        "ratelimit-policy": "10;w=600;burst=2",
      });
    }
    const refused = await from(url, "192.0.2.1", { Accept: "application/json" });
    expect(refused).toMatchObject({ status: 429, headers: { "ratelimit-remaining": "0" } });
    // The time that the requests took is part of it.
    expect(Math.abs(Number(refused.headers["retry-after"]) - 50)).toBeLessThan(11);
    expect(Number(refused.headers["ratelimit-reset"])).toBeGreaterThan(120);
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
  const slow = { points: 1, windowMs: 600_000, burst: 1 };
  const allowed = async () => (await rates.take("b", slow)).allowed;
  expect([await allowed(), await allowed(), await allowed()]).toEqual([true, true, false]);
  await rates.adjust("b", slow, -1);
  expect([await allowed(), await allowed()]).toEqual([true, false]);
  await rates.adjust("b", slow, Number.NEGATIVE_INFINITY);
  expect(await client.dbsize()).toBe(0);
  await rates.adjust("b", slow, 5);
  expect((await rates.take("b", slow)).retryMs / 600_000).toBeCloseTo(4, 1);
});

describe.each(frameworks)("$name: what else a rate limit does", ({ name: framework, startGateway }) => {
  const statuses = { fine: 200, wrong: 401 };
  async function start(rateLimit: Guards["rateLimit"]) {
    const { url: target } = await startBackend("a", ({ url }, response) => {
      response.writeHead(url === "/wrong" ? statuses.wrong : statuses.fine).end();
    });
    return startGateway({ targets: [target], guards: { rateLimit: rateLimit! }, trustProxy: true });
  }
  const perUser = (request: { headers: Record<string, unknown> }) => request.headers["x-user"] as string | undefined;
  const as = (url: string, user: string) => httpGet(url, { headers: { "X-User": user } });
  const once = { points: 1, windowMs: 60_000 };

  it("gives points back, forgets, and blocks, by the key", async () => {
    const { url, limiter } = await start({ name: `${framework} by hand`, ...once, burst: 1, key: perUser as never });
    const allowed = async () => (await as(url, "ann")).status === 200;
    expect([await allowed(), await allowed(), await allowed()]).toEqual([true, true, false]);
    await limiter!.refund("ann");
    expect([await allowed(), await allowed()]).toEqual([true, false]);
    await limiter!.reset("ann");
    expect([await allowed(), await allowed(), await allowed()]).toEqual([true, true, false]);
    await limiter!.block("bob", 3_600_000);
    const blocked = await as(url, "bob");
    expect(blocked.status).toBe(429);
    expect(Math.abs(Number(blocked.headers["retry-after"]) - 3_600)).toBeLessThan(10);
    expect((await as(url, "eve")).status).toBe(200);
    await expect(limiter!.block("bob", 0)).rejects.toThrow(/"ms"/);
  });

  it("an address is meant as it counts, and of IPv6 as many bits as are asked for (BAD-INPUTS 181)", async () => {
    const { url, limiter } = await start({ name: `${framework} prefix`, ...once, ipv6Prefix: 48 });
    const from = async (address: string) => (await httpGet(url, { headers: { "X-Forwarded-For": address } })).status;
    expect([await from("2001:db8:1:1::1"), await from("2001:db8:1:2::1"), await from("2001:db8:2::1")]).toEqual([
      200, 429, 200,
    ]);
    await limiter!.reset("2001:DB8:1:3::9");
    expect(await from("2001:db8:1:4::1")).toBe(200);
  });

  it("what failed or succeeded counts for nothing, if that is asked for", async () => {
    const failures = await start({ name: `${framework} failures`, ...once, skipSuccessful: true });
    for (let round = 0; round < 3; round++) {
      const { status } = await eventually(
        async () => {
          const answer = await httpGet(`${failures.url}/fine`);
          return answer.status === 200 ? answer : undefined;
        },
        { what: "the point to be given back" },
      );
      expect(status).toBe(200);
    }
    await eventually(async () => (await httpGet(`${failures.url}/wrong`)).status === 401, { what: "another point" });
    expect((await httpGet(`${failures.url}/fine`)).status).toBe(429);
    const successes = await start({ name: `${framework} successes`, ...once, skipFailed: true });
    expect((await httpGet(`${successes.url}/wrong`)).status).toBe(401);
    await eventually(async () => (await httpGet(`${successes.url}/fine`)).status === 200, { what: "the point" });
    expect((await httpGet(`${successes.url}/wrong`)).status).toBe(429);
  });

  it("answers in the app's own words, and with the headers that are asked for", async () => {
    const answer = async ({ key, limit, retryAfterSeconds }: RateRefusal) => ({
      status: 503,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ key, limit, isSoon: retryAfterSeconds <= 60 }),
    });
    const headers = ["draft-8", "x-ratelimit"] as const;
    const name = `${framework} "own"`;
    const { url } = await start({ name, ...once, key: () => 7, answer, headers });
    const first = await httpGet(url);
    expect(first.headers["ratelimit"]).toMatch(/\\"own\\"";r=0;t=60$/);
    expect(first.headers).toMatchObject({ "x-ratelimit-limit": "1", "x-ratelimit-remaining": "0" });
    const reset = Number(first.headers["x-ratelimit-reset"]) - Date.now() / 1_000;
    expect(Math.abs(reset - 60)).toBeLessThan(10);
    expect(first.headers).not.toHaveProperty("ratelimit-limit");
    const { status, headers: said, body } = await httpGet(url);
    expect(said["content-type"]).toMatch(/^application\/json/);
    expect([status, JSON.parse(body)]).toEqual([503, { key: "7", limit: 1, isSoon: true }]);
    expect(Number(said["retry-after"])).toBeGreaterThan(50);
    const silent = await start({ name: `${framework} silent`, ...once, headers: false });
    expect(Object.keys((await httpGet(silent.url)).headers).filter((field) => field.includes("ratelimit"))).toEqual([]);
  });

  it("fails closed where that is asked for", async () => {
    const errors: string[] = [];
    const broken = async () => {
      throw new Error("away");
    };
    const store = { take: broken, adjust: broken };
    const { url } = await start({ ...once, store, failClosed: true, onError: ({ code }) => errors.push(code) });
    for (let round = 0; round < 2; round++) {
      expect(await httpGet(url)).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
    }
    expect(errors).toEqual(["LB_RATE_STORE"]);
  });
});

it("Fastify: counts when it is known who asks, if that is asked for", async () => {
  const app = fastify();
  onTestFinished(() => app.close());
  app.decorateRequest("user", "");
  app.addHook("preValidation", async (request) => {
    (request as unknown as { user: unknown }).user = request.headers["x-user"];
  });
  const key = (request: object) => (request as { user: string }).user;
  await app.register(fastifyRateLimit, { points: 1, windowMs: 60_000, name: "users", key, hook: "preHandler" });
  app.get("/", () => "fine");
  const status = async (user: string) => (await app.inject({ url: "/", headers: { "x-user": user } })).statusCode;
  expect([await status("a"), await status("a"), await status("b")]).toEqual([200, 429, 200]);
  await app.rateLimits.get("users")!.reset("a");
  expect(await status("a")).toBe(200);
  await expect(
    fastify()
      .register(fastifyRateLimit, { points: 1, hook: "onSend" as "onRequest" })
      .ready(),
  ).rejects.toThrow(/"hook"/);
});
