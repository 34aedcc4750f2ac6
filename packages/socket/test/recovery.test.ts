// Connection state recovery through setupWorker. What happens when an instance is killed: ipc-recovery.test.ts.
import { randomUUID } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import { sharedRedis } from "./support/redis-server.ts";
import type { SocketClient } from "./support/socket-client.ts";
import { SocketCluster } from "./support/socket-cluster.ts";

/** What a client got of what `Broadcaster` said. */
function heard(client: SocketClient): Tick[] {
  return client.received.flatMap(([event, from, number]) =>
    event === "tick" ? { from: from as number, number: number as number } : [],
  );
}

interface Tick {
  /** The process that said it. */
  readonly from: number;
  readonly number: number;
}

/** Says one, two, three … to everybody, each by whichever instance answers the request, one after the other. */
class Broadcaster {
  readonly #url: string;
  #said = 0;
  #speaking = true;
  #done: Promise<void> = Promise.resolve();

  constructor(url: string) {
    this.#url = url;
  }

  async begin(): Promise<void> {
    this.#done = this.#speak();
    await eventually(() => this.#said > 10, { what: "it speaks" });
  }

  async stop(): Promise<number> {
    this.#speaking = false;
    await this.#done;
    return this.#said;
  }

  async say(): Promise<void> {
    this.#said += 1;
    const { status } = await fetch(`${this.#url}/tick?${this.#said}`);
    expect(status).toBe(200);
  }

  async #speak(): Promise<void> {
    while (this.#speaking) await this.say();
  }
}

/** Clients that have an offset to go on from: without an event there is nothing to recover. */
async function listen(cluster: SocketCluster): Promise<SocketClient[]> {
  const clients = await Promise.all([
    cluster.connect({ transport: "websocket" }),
    cluster.connect({ transport: "websocket" }),
    cluster.connect({ transport: "polling" }),
    cluster.connect({ transport: "upgrade" }),
  ]);
  onTestFinished(() => {
    for (const client of clients) client.close();
  });
  for (const client of clients) {
    await eventually(
      async () => {
        await client.order("broadcast", "hello");
        return clients.every(({ received }) => received.length > 0);
      },
      { what: "all hear of one another" },
    );
  }
  return clients;
}

/** None lost, none twice, in the order in which each instance said it: between two there is none. Who said it, counted. */
async function heardAll(client: SocketClient, said: number): Promise<number> {
  await eventually(() => heard(client).length >= said, { what: `${said} ticks, ${heard(client).length} heard` });
  const numbers = heard(client).map(({ number }) => number);
  expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: said }, (_, index) => index + 1));
  const senders = new Set(heard(client).map(({ from }) => from));
  for (const sender of senders) {
    const told = heard(client).flatMap(({ from, number }) => (from === sender ? number : []));
    expect(told).toEqual(told.toSorted((a, b) => a - b));
  }
  return senders.size;
}

const io = { connectionStateRecovery: {} };

test.each(["proxy", "handoff"] as const)(
  "a reload under traffic, in %s mode: none lost, none twice, in the order in which each instance said it",
  async (mode) => {
    await using cluster = await SocketCluster.start({
      cluster: { mode, instances: 2, drainTimeoutMs: 10_000 },
      socket: { drain: { spreadMs: 300 } },
      io,
    });
    const clients = await listen(cluster);
    const speaker = new Broadcaster(cluster.url);
    await speaker.begin();
    await cluster.operate("reload", { watchMs: 100 });
    await eventually(() => clients.every(({ socket, losses }) => losses.length > 0 && socket.connected), {
      what: "all are back",
    });
    const said = await speaker.stop();
    for (const client of clients) {
      expect(client.socket.recovered).toBe(true);
      expect(await heardAll(client, said)).toBeGreaterThan(1);
    }
  },
);

describe("over a Redis stream", () => {
  test("a client that was away gets what it missed, from whichever instance it comes back to", async () => {
    const redis = await sharedRedis();
    onTestFinished(() => redis.dispose());
    await using cluster = await SocketCluster.start({
      cluster: { instances: 2 },
      socket: { redis: redis.url, streams: true, prefix: `lb-test-${randomUUID()}`, drain: { spreadMs: 300 } },
      io,
    });
    const clients = await listen(cluster);
    const speaker = new Broadcaster(cluster.url);
    for (const { socket } of clients) {
      // As it is by default: a session is in Redis once its connection has ended, not before.
      socket.io.reconnectionDelay(1_000);
      socket.io.reconnectionDelayMax(5_000);
      socket.io.engine.close();
    }
    await eventually(() => clients.every(({ socket }) => !socket.connected), { what: "they are away" });
    for (let said = 0; said < 20; said++) await speaker.say();
    await eventually(() => clients.every(({ socket }) => socket.connected), { what: "they are back" });
    for (const client of clients) {
      expect(client.socket.recovered).toBe(true);
      await heardAll(client, 20);
    }
    await cluster.operate("reload", { watchMs: 100 });
    await eventually(() => clients.every(({ socket, losses }) => losses.length > 1 && socket.connected), {
      what: "they are back after the reload",
    });
    for (const { socket } of clients) expect(socket.recovered).toBe(true);
  });
});
