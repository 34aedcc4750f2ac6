// FAULTS 46, 47, 49, 50: whatever becomes of Redis, the processes live, HTTP is answered and each instance serves its own.
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import { RedisServer } from "./support/redis-server.ts";
import { connectToEach, type SocketClient } from "./support/socket-client.ts";
import { SocketCluster } from "./support/socket-cluster.ts";

const password = "s3cret-of-the-test";

describe.each<[string, { sharded?: true; streams?: true }]>([
  ["Redis", {}],
  ["sharded Redis", { sharded: true }],
  ["a Redis stream", { streams: true }],
])("over %s", (_, kind) => {
  let redis: RedisServer;
  let cluster: SocketCluster;
  let clients: SocketClient[];
  let labels = 0;

  beforeAll(async () => {
    redis = await RedisServer.stopped();
    const socket = { redis: redis.url.replace("//", `//:${password}@`), ...kind };
    cluster = await SocketCluster.start({ cluster: { instances: 2 }, socket });
    clients = await connectToEach(cluster.url, 2);
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await cluster.stop();
    await redis.dispose();
  });

  function administrator(): Redis {
    const admin = new Redis(redis.url, { password });
    onTestFinished(() => admin.disconnect());
    return admin;
  }
  const startRedis = () => redis.start(["--requirepass", password]);
  const states = async () => (await cluster.statuses()).map(({ redis }) => redis!.state);
  const everywhere = (state: string) =>
    eventually(async () => (await states()).every((one) => one === state), { what: `Redis is ${state} everywhere` });

  /** Who got an event that the first client had broadcast. */
  async function reached(): Promise<boolean[]> {
    const event = `event ${++labels}`;
    await clients[0]!.order("broadcast", event);
    const got = (client: SocketClient) => client.received.some(([name]) => name === event);
    await eventually(() => got(clients[0]!), { what: "the broadcast reaches the sender's own instance" });
    return clients.map(got);
  }
  const reachesAll = () =>
    eventually(async () => (await reached()).every(Boolean), { what: "a broadcast reaches all instances" });

  async function expectDegraded(): Promise<void> {
    await everywhere("degraded");
    expect(await reached()).toEqual([true, false]);
    expect(await clients[1]!.order("fetch", clients[1]!.socket.id)).toHaveLength(1);
    expect(await clients[0]!.order("fetch", clients[1]!.socket.id)).toEqual([]);
    expect(await clients[0]!.order("askInstances")).toEqual([]);
    expect((await fetch(cluster.url)).status).toBe(200);
  }

  test("FAULT 46: it is not there at the start", async () => {
    await expectDegraded();
    await startRedis();
    await everywhere("ready");
    await reachesAll();
  });

  test("FAULT 47, 49: it dies, and comes back empty", async () => {
    const pids = await cluster.pids();
    await redis.stop();
    await expectDegraded();
    await startRedis();
    await everywhere("ready");
    await reachesAll();
    expect(await clients[0]!.order("askInstances")).toEqual(["2"]);
    expect(await cluster.pids()).toEqual(pids);
    for (const { redis } of await cluster.statuses()) {
      for (const { error } of redis!.connections) expect(error).toBeUndefined();
    }
  });

  test("it freezes, and thaws", async () => {
    const pids = await cluster.pids();
    redis.freeze();
    try {
      expect(await reached()).toEqual([true, false]);
      expect((await fetch(cluster.url)).status).toBe(200);
    } finally {
      redis.thaw();
    }
    await reachesAll();
    expect(await cluster.pids()).toEqual(pids);
  });

  test("FAULT 50: its password changes; nobody gets to see the one we have", async () => {
    const admin = administrator();
    await admin.config("SET", "requirepass", "another");
    const before = await logins(admin);
    for (const type of ["NORMAL", "PUBSUB"]) await admin.call("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes");
    await everywhere("degraded");
    const errors = async () =>
      (await cluster.statuses()).flatMap(({ redis }) => redis!.connections.map(({ error }) => error ?? ""));
    await eventually(async () => (await errors()).every((error) => error.includes("WRONGPASS")), {
      what: "the reason is shown",
    });
    expect(await reached()).toEqual([true, false]);
    expect(JSON.stringify(await cluster.statuses())).not.toContain(password);
    expect(cluster.output).not.toContain(password);
    // With the back-off a connection tries at most some five times in its first second and once a second later on.
    const startedAt = performance.now();
    await eventually(async () => (await logins(admin)) > before + 12, { what: "they try again" });
    const perSecond = ((await logins(admin)) - before) / ((performance.now() - startedAt) / 1_000 + 1);
    expect(perSecond).toBeLessThan(40);
    await admin.config("SET", "requirepass", password);
    await everywhere("ready");
    await reachesAll();
  });

  test("its connections have names, and are closed when their instance goes", async () => {
    const admin = administrator();
    const names = async () =>
      ((await admin.client("LIST")) as string)
        .match(/(?<= name=)lb-socket:\S+/g)!
        .map((name) => name.split(/[:-]/).slice(2));
    const roles = kind.streams ? ["publish", "read", "subscribe"] : ["publish", "subscribe"];
    const of = async (instance: string) =>
      (await names()).flatMap(([id, , role]) => (id === instance ? role! : [])).sort();
    expect(await of("1")).toEqual(roles);
    expect(await of("2")).toEqual(roles);
    await cluster.operate("scale", 1);
    await expect.poll(() => of("2")).toEqual([]);
    expect(await of("1")).toEqual(roles);
  });
});

async function logins(admin: Redis): Promise<number> {
  const statistics = (await admin.info("stats")) as string;
  return Number(/total_connections_received:(\d+)/.exec(statistics)![1]);
}
