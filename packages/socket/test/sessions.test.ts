// Sessions and the instances they live in: what a client sees when its instance is drained, held back, or dies.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { connectToEach, type SocketClient, type TransportKind } from "./support/socket-client.ts";
import { SocketCluster } from "./support/socket-cluster.ts";

const spreadMs = 600;

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

  describe.each(["polling", "websocket", "upgrade"] as const)("over %s", (transport) => {
    test("session ids are long, and different, and tell nothing", async () => {
      const ids = (await clients(6, transport)).map(({ socket }) => socket.io.engine.id!);
      expect(new Set(ids).size).toBe(6);
      for (const id of ids) expect(id).toMatch(/^[\w-]{52}$/);
      // 32 characters that stand for the instance, then Engine.IO's own.
      expect(new Set(ids.map((id) => id.slice(0, 32))).size).toBe(2);
    });

    test("in a reload every client is told by a lost transport, one after the other, and connects again by itself", async () => {
      const all = await clients(24, transport);
      const lostAt: number[] = [];
      const errors: string[] = [];
      const unknown: string[] = [];
      for (const { socket } of all) {
        socket.on("disconnect", () => lostAt.push(performance.now()));
        socket.io.on("reconnect_error", (error) => errors.push(error.message));
        socket.io.engine.on("close", (reason, details) => unknown.push(`${reason} ${JSON.stringify(details)}`));
      }
      // Those who talk all the time, too.
      const answers = { asked: 0, got: 0 };
      const talk = setInterval(() => {
        for (const { socket } of all) {
          if (!socket.connected) continue;
          answers.asked += 1;
          socket.timeout(5_000).emit("do", "join", ["talk"], (error: unknown) => {
            if (error === null) answers.got += 1;
          });
        }
      }, 20);
      await cluster.operate("reload");
      clearInterval(talk);
      await expect.poll(() => all.every(({ socket }) => socket.connected)).toBe(true);
      for (const { losses } of all) {
        expect(losses.length).toBeGreaterThan(0);
        expect([...new Set(losses)]).toEqual(["transport close"]);
      }
      expect(errors).toEqual([]);
      // Never all at the same time: half of them are gone in no less than a part of the time they have.
      lostAt.sort((a, b) => a - b);
      expect(lostAt.at(11)! - lostAt[0]!).toBeGreaterThan(spreadMs / 4);
      expect(unknown.filter((text) => text.includes("400"))).toEqual([]);
    });
  });

  test("polling reaches the instance it began at while that is held back", async () => {
    const [first, second] = await connectToEach(cluster.url, 2, { transport: "polling" });
    onTestFinished(() => {
      first!.close();
      second!.close();
    });
    await cluster.operate("drain", 1);
    try {
      for (let asked = 0; asked < 5; asked++) await first!.order("join", "room");
      expect(first!.losses).toEqual([]);
      const [fresh] = await clients(1, "polling");
      expect(fresh!.instance).toBe(2);
    } finally {
      await cluster.operate("resume", 1);
    }
  });

  test("a client whose instance is killed goes on with another one", async () => {
    const [first] = await connectToEach(cluster.url, 2, { transport: "polling" });
    onTestFinished(() => first!.close());
    void first!.order("crash").catch(() => {});
    await expect.poll(() => first!.losses.length).toBeGreaterThan(0);
    await expect.poll(() => first!.socket.connected).toBe(true);
    await first!.order("join", "room");
  });
});
