// FAULTS 46, 47, 49, 50: whatever becomes of Redis, the processes live, HTTP is answered and each instance serves its own.
// The three ways over Redis go through each fault at the same time, since most of it is waiting.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import { RedisServer } from "./support/redis-server.ts";
import { connectToEach, type SocketClient } from "./support/socket-client.ts";
import { SocketCluster } from "./support/socket-cluster.ts";

const password = "s3cret-of-the-test";

interface Told {
  readonly state: string;
  readonly summary: string;
}

/** What the clusters alert of. */
const alerts: Told[] = [];
const receiver = createServer(async (request, response) => {
  alerts.push(...((await json(request)) as { readonly alerts: Told[] }).alerts);
  response.end();
});

/** Two instances and a Redis of their own. */
class Site {
  readonly kind: string;
  readonly redis: RedisServer;
  readonly cluster: SocketCluster;
  readonly clients: readonly SocketClient[];
  #labels = 0;

  private constructor(kind: string, redis: RedisServer, cluster: SocketCluster, clients: readonly SocketClient[]) {
    this.kind = kind;
    this.redis = redis;
    this.cluster = cluster;
    this.clients = clients;
  }

  /** Redis is not there yet. */
  static async build(kind: string, options: object): Promise<Site> {
    const redis = await RedisServer.stopped();
    const socket = { redis: redis.url.replace("//", `//:${password}@`), ...options };
    const { port } = receiver.address() as AddressInfo;
    const on = { instance: false, backend: false, redis: { forMs: 500, recoverForMs: 500 } };
    const to = [{ webhook: `http://127.0.0.1:${port}/` }];
    const cluster = await SocketCluster.start({ cluster: { instances: 2, alerts: { to, on } }, socket });
    return new Site(kind, redis, cluster, await connectToEach(cluster.url, 2));
  }

  async demolish(): Promise<void> {
    for (const client of this.clients) client.close();
    await this.cluster.stop();
    await this.redis.dispose();
  }

  startRedis(): Promise<void> {
    return this.redis.start(["--requirepass", password]);
  }

  administrator(): Redis {
    const admin = new Redis(this.redis.url, { password });
    onTestFinished(() => admin.disconnect());
    return admin;
  }

  is(state: string): Promise<unknown> {
    const everywhere = async () => (await this.cluster.statuses()).every(({ redis }) => redis?.state === state);
    return eventually(everywhere, { what: `${this.kind}: ${state} everywhere` });
  }

  /** Who got an event that the first client had broadcast. */
  async reached(): Promise<boolean[]> {
    const event = `event ${++this.#labels}`;
    const [first] = this.clients;
    await first!.order("broadcast", event);
    const got = (client: SocketClient) => client.received.some(([name]) => name === event);
    await eventually(() => got(first!), { what: `${this.kind}: a broadcast reaches the sender's own instance` });
    return this.clients.map(got);
  }

  reachesAll(): Promise<unknown> {
    const all = async () => (await this.reached()).every(Boolean);
    return eventually(all, { what: `${this.kind}: a broadcast reaches all instances` });
  }

  async expectDegraded(): Promise<void> {
    await this.is("degraded");
    const [first, second] = this.clients;
    expect(await this.reached(), this.kind).toEqual([true, false]);
    expect(await second!.order("fetch", second!.socket.id), this.kind).toHaveLength(1);
    expect(await first!.order("fetch", second!.socket.id), this.kind).toEqual([]);
    expect(await first!.order("askInstances"), this.kind).toEqual([]);
    expect((await fetch(this.cluster.url)).status).toBe(200);
  }

  async errors(): Promise<string[]> {
    const statuses = await this.cluster.statuses();
    return statuses.flatMap(({ redis }) => redis!.connections.map(({ error }) => error ?? ""));
  }
}

let sites: Site[];
const everySite = (act: (site: Site) => Promise<void>) => Promise.all(sites.map(act));

beforeAll(async () => {
  await once(receiver.listen(0, "127.0.0.1"), "listening");
  sites = await Promise.all([
    Site.build("Redis", {}),
    Site.build("sharded Redis", { sharded: true }),
    Site.build("a Redis stream", { streams: true }),
  ]);
});
afterAll(async () => {
  await everySite((site) => site.demolish());
  receiver.close();
});

test("FAULTS 46: Redis is not there at the start, which alerts tell", async () => {
  const told = (state: string, times: number) => () => alerts.filter((alert) => alert.state === state).length >= times;
  await everySite((site) => site.expectDegraded());
  await eventually(told("firing", sites.length), { what: "an alert of each cluster" });
  expect(alerts[0]!.summary).toMatch(/^Redis is away: instances? \d( and \d)? cannot reach the others over it$/);
  await everySite(async (site) => {
    await site.startRedis();
    await site.is("ready");
    await site.reachesAll();
  });
  await eventually(told("resolved", sites.length), { what: "that it is over" });
});

test("FAULTS 47, 49: Redis dies, and comes back empty", () =>
  everySite(async (site) => {
    const pids = await site.cluster.pids();
    await site.redis.stop();
    await site.expectDegraded();
    await site.startRedis();
    await site.is("ready");
    await site.reachesAll();
    expect(await site.clients[0]!.order("askInstances"), site.kind).toEqual(["2"]);
    expect(await site.cluster.pids(), site.kind).toEqual(pids);
    expect((await site.errors()).join(""), site.kind).toBe("");
  }));

test("Redis freezes, and thaws", () =>
  everySite(async (site) => {
    const pids = await site.cluster.pids();
    site.redis.freeze();
    try {
      expect(await site.reached(), site.kind).toEqual([true, false]);
      expect((await fetch(site.cluster.url)).status).toBe(200);
    } finally {
      site.redis.thaw();
    }
    await site.reachesAll();
    expect(await site.cluster.pids(), site.kind).toEqual(pids);
  }));

test("FAULTS 50: the password of Redis changes; nobody gets to see the one we have", () =>
  everySite(async (site) => {
    const admin = site.administrator();
    const logins = async () => Number(/total_connections_received:(\d+)/.exec(await admin.info("stats"))![1]);
    await admin.config("SET", "requirepass", "another");
    const before = await logins();
    const startedAt = performance.now();
    for (const type of ["NORMAL", "PUBSUB"]) await admin.call("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes");
    await site.is("degraded");
    const reason = async () => (await site.errors()).every((error) => error.includes("WRONGPASS"));
    await eventually(reason, { what: `${site.kind}: the reason is shown` });
    expect(await site.reached(), site.kind).toEqual([true, false]);
    expect(JSON.stringify(await site.cluster.statuses())).not.toContain(password);
    expect(site.cluster.output).not.toContain(password);
    // At most six connections, each of which tries some five times in its first second and ever more seldom later on.
    await eventually(async () => (await logins()) > before + 12, { what: `${site.kind}: they try again` });
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(((await logins()) - before) / (seconds + 1), site.kind).toBeLessThan(40);
    await admin.config("SET", "requirepass", password);
    await site.is("ready");
    await site.reachesAll();
  }));

test("the connections to Redis have names, and are closed when their instance goes", () =>
  everySite(async (site) => {
    const admin = site.administrator();
    const rolesOf = async (instance: string) => {
      const list = (await admin.client("LIST")) as string;
      const names = [...list.matchAll(/ name=lb-socket:(\d+)-\d+:(\w+)/g)];
      return names.flatMap(([, id, role]) => (id === instance ? role! : [])).sort();
    };
    const roles = site.kind === "a Redis stream" ? ["publish", "read", "subscribe"] : ["publish", "subscribe"];
    expect(await rolesOf("1"), site.kind).toEqual(roles);
    expect(await rolesOf("2"), site.kind).toEqual(roles);
    await site.cluster.operate("scale", 1);
    await expect.poll(() => rolesOf("2")).toEqual([]);
    expect(await rolesOf("1"), site.kind).toEqual(roles);
  }));
