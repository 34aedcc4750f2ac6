// Sessions and the instances they live in: what a client sees when its instance is drained, held back, or dies.
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { connectToEach, type SocketClient, type TransportKind } from "./support/socket-client.ts";
import { SocketCluster } from "./support/socket-cluster.ts";

const spreadMs = 600;
const transports: readonly TransportKind[] = ["polling", "websocket", "upgrade"];

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  let cluster: SocketCluster;
  beforeAll(async () => {
    cluster = await SocketCluster.start({
      cluster: { mode, instances: 2, drainTimeoutMs: 10_000 },
      socket: { drain: { spreadMs } },
      io: { pingInterval: 500 },
    });
  });
  afterAll(() => cluster.stop());

  async function clients(count: number, transport: TransportKind): Promise<SocketClient[]> {
    const all = await Promise.all(Array.from({ length: count }, () => cluster.connect({ transport })));
    onTestFinished(() => {
      for (const client of all) client.close();
    });
    return all;
  }

  async function each(transport: TransportKind): Promise<SocketClient[]> {
    const both = await connectToEach(cluster.url, 2, { transport });
    onTestFinished(() => {
      for (const client of both) client.close();
    });
    return both;
  }

  describe.each(transports)("over %s", (transport) => {
    test("session ids are long, and different, and begin with what stands for the instance", async () => {
      const all = [...(await each(transport)), ...(await each(transport))];
      const ids = all.map(({ socket }) => socket.io.engine.id!);
      expect(new Set(ids).size).toBe(4);
      for (const id of ids) expect(id).toMatch(/^[\w-]{52}$/);
      const [first, second, firstAgain, secondAgain] = ids.map((id) => id.slice(0, 32));
      expect([firstAgain, secondAgain]).toEqual([first, second]);
      expect(first).not.toBe(second);
    });
  });

  test("in a reload every client loses its transport, one after the other, and connects again by itself", async () => {
    const all = (await Promise.all(transports.map((transport) => clients(10, transport)))).flat();
    const lostAt: number[] = [];
    const problems: string[] = [];
    for (const { socket } of all) {
      socket.on("disconnect", () => lostAt.push(performance.now()));
      socket.io.on("reconnect_error", (error) => problems.push(error.message));
    }
    await cluster.operate("reload", { watchMs: 100 });
    await expect.poll(() => all.every(({ socket }) => socket.connected)).toBe(true);
    // What a polling client sent before it read the good-bye is taken for 0.4 s, which a busy machine may exceed.
    for (const [index, { losses }] of all.entries()) {
      const polls = transports[Math.floor(index / 10)] === "polling";
      for (const reason of losses) expect(reason).toMatch(polls ? /^transport (close|error)$/ : /^transport close$/);
    }
    expect(all.filter(({ losses }) => losses.length === 0)).toEqual([]);
    expect(problems).toEqual([]);
    // Half of them are gone in no less than a part of the time there is for all.
    lostAt.sort((a, b) => a - b);
    expect(lostAt.at(14)! - lostAt[0]!).toBeGreaterThan(spreadMs / 4);
  });

  test("polling reaches the instance it began at while that is held back", async () => {
    const held = (await Promise.all(Array.from({ length: 5 }, () => each("polling")))).map(([first]) => first!);
    // Polls that overlap at all times hold up nobody.
    await cluster.operate("drain", 1);
    try {
      for (let asked = 0; asked < 5; asked++) await Promise.all(held.map((client) => client.order("join", "room")));
      expect(held.flatMap(({ losses }) => losses)).toEqual([]);
      const [fresh] = await clients(1, "polling");
      expect(fresh!.instance).toBe(2);
    } finally {
      await cluster.operate("resume", 1);
    }
  });

  test("so does a request on a connection that leads elsewhere", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const ask = async (path: string, body?: string) => {
      const sent = request(`${cluster.url}${path}`, { agent, method: body === undefined ? "GET" : "POST" });
      sent.end(body);
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      return { status: response.statusCode, body: await text(response) };
    };
    const handshake = async () => {
      const { body } = await ask("/socket.io/?EIO=4&transport=polling");
      return (JSON.parse(body.slice(1)) as { sid: string }).sid;
    };
    const [first] = await each("polling");
    const prefix = first!.socket.io.engine.id!.slice(0, 32);
    let sid = await handshake();
    while (!sid.startsWith(prefix)) {
      agent.destroy();
      sid = await handshake();
    }
    while ((await ask("/")).body !== "2") agent.destroy();
    await cluster.operate("drain", 1);
    try {
      expect(await ask(`/socket.io/?EIO=4&transport=polling&sid=${sid}`, "40")).toMatchObject({
        status: 200,
        body: "ok",
      });
      expect((await ask("/")).body).toBe("2");
    } finally {
      await cluster.operate("resume", 1);
    }
  });

  test("an instance that is blocked for a while keeps its sessions, whatever they ask meanwhile", async () => {
    const all = (await Promise.all([each("polling"), each("polling"), each("polling")])).flat();
    let asking = true;
    const asked = all.map(async (client) => {
      while (asking) await client.order("join", "room");
    });
    for (let blocks = 0; blocks < 3; blocks++) {
      await Promise.all(all.slice(0, 2).map((client) => client.order("block", 400)));
    }
    asking = false;
    await Promise.all(asked);
    expect(all.map(({ losses }) => losses)).toEqual(all.map(() => []));
  });

  test("a client whose instance is killed goes on with another one", async () => {
    const [first] = await each("polling");
    void first!.order("crash").catch(() => {});
    await expect.poll(() => first!.losses.length).toBeGreaterThan(0);
    await expect.poll(() => first!.socket.connected).toBe(true);
    await first!.order("join", "room");
  });
});

test.each(["proxy", "handoff"] as const)(
  "a session's request is not kept waiting by an instance that has drained, and whose app takes its time to end (%s)",
  async (mode) => {
    await using cluster = await SocketCluster.start({
      cluster: { mode, instances: 2, drainTimeoutMs: 5_000, env: { LB_TEST_ENDS_AFTER_MS: "2500" } },
      socket: { drain: { spreadMs: 0 } },
    });
    const client = await cluster.connect({ transport: "polling" });
    const { id } = client.socket.io.engine;
    client.close();
    let slowestMs = 0;
    const ask = async () => {
      const askedAt = performance.now();
      const sent = request(`${cluster.url}/socket.io/?EIO=4&transport=polling&sid=${id}`, { agent: false });
      sent.end();
      await Promise.race([once(sent, "response"), once(sent, "error")]).catch(() => {});
      sent.destroy();
      slowestMs = Math.max(slowestMs, performance.now() - askedAt);
    };
    const { pid } = (await cluster.instances())[client.instance - 1]!;
    const lives = () => {
      try {
        return process.kill(pid!, 0);
      } catch {
        return false;
      }
    };
    const restarted = cluster.operate("restart", client.instance);
    while (lives()) await ask();
    await restarted;
    expect(slowestMs).toBeLessThan(1_500);
  },
);

test("after a scale-up idle clients move to the new instances, if that is wanted; those who talk stay", async () => {
  await using cluster = await SocketCluster.start({
    cluster: { instances: 1, strategy: "least-connections" },
    socket: { rebalance: { perSecond: 5 } },
  });
  const all = await Promise.all(Array.from({ length: 12 }, () => cluster.connect()));
  const [talker] = all;
  const talk = setInterval(() => talker!.socket.emit("do", "join", ["talkers"]), 100);
  onTestFinished(() => {
    clearInterval(talk);
    for (const client of all) client.close();
  });
  await cluster.operate("scale", 2);
  await expect.poll(() => all.filter(({ instance }) => instance === 2).length, { timeout: 20_000 }).toBeGreaterThan(3);
  expect(talker!.losses).toEqual([]);
  await expect.poll(() => all.every(({ socket }) => socket.connected)).toBe(true);
});

test("a child of an instance, which has its environment, is no instance", async () => {
  await using cluster = await SocketCluster.start({ cluster: { instances: 1 } });
  const { stdout } = (await (await cluster.connect()).order("child")) as { stdout: string };
  expect(JSON.parse(stdout)).toMatchObject({ adapter: "none" });
});
