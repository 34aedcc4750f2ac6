// Nothing lost, nothing twice, in order: what a client gets when its instance is killed or reloaded while others talk.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import { sharedRedis } from "./support/redis-server.ts";
import { connectToEach, type SocketClient, type TransportKind } from "./support/socket-client.ts";
import { SocketCluster } from "./support/socket-cluster.ts";

let redis: Awaited<ReturnType<typeof sharedRedis>>;
beforeAll(async () => {
  redis = await sharedRedis();
});
afterAll(() => redis.dispose());

interface Way {
  readonly name: string;
  readonly socket: () => object;
  /** A stream keeps what was missed; the sessions are saved at a disconnection, which who is killed cannot do. */
  readonly survivesKill: boolean;
}

const ways: readonly Way[] = [
  { name: "through the primary", socket: () => ({}), survivesKill: true },
  {
    name: "over a Redis stream",
    socket: () => ({ redis: redis.url, streams: true, prefix: `lb-test-${randomUUID()}` }),
    survivesKill: false,
  },
];

/** One who says one, two, three … until stopped, each to everybody, and knows what was said. */
class Speaker {
  readonly client: SocketClient;
  readonly name: string;
  said = 0;
  #speaking = true;
  #done: Promise<void>;

  constructor(client: SocketClient, name: string) {
    this.client = client;
    this.name = name;
    this.#done = this.#speak();
  }

  async stop(): Promise<void> {
    this.#speaking = false;
    await this.#done;
  }

  async #speak(): Promise<void> {
    while (this.#speaking) {
      this.said += 1;
      await this.client.order("broadcast", "said", this.name, this.said);
    }
  }
}

/** What each listener got of each speaker, in the order of its arrival. */
function heard(listener: SocketClient, speaker: Speaker): unknown[] {
  return listener.received.flatMap(([event, name, number]) =>
    event === "said" && name === speaker.name ? number : [],
  );
}

describe.each(ways)("$name", ({ socket, survivesKill }) => {
  describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
    let cluster: SocketCluster;
    beforeAll(async () => {
      cluster = await SocketCluster.start({
        cluster: { mode, instances: 3, drainTimeoutMs: 10_000 },
        socket: { drain: { spreadMs: 300 }, ...socket() },
        io: { connectionStateRecovery: {} },
      });
    });
    afterAll(() => cluster.stop());

    async function connectAll(transport: TransportKind): Promise<SocketClient[]> {
      const clients = await connectToEach(cluster.url, 3, { transport });
      onTestFinished(() => {
        for (const client of clients) client.close();
      });
      // A client can be recovered from its first event on, and hears others from when their subscriptions are made.
      await eventually(
        async () => {
          for (const client of clients) await client.order("broadcast", "hello");
          return clients.every(({ received }) => received.length >= 3);
        },
        { what: "all hear all" },
      );
      return clients;
    }

    async function expectNothingLost(listeners: readonly SocketClient[], speakers: readonly Speaker[]): Promise<void> {
      for (const speaker of speakers) {
        const all = Array.from({ length: speaker.said }, (_, index) => index + 1);
        for (const listener of listeners) await expect.poll(() => heard(listener, speaker)).toEqual(all);
      }
    }

    test.runIf(survivesKill)("an instance is killed", async () => {
      const [first, second, third] = await connectAll("websocket");
      const speakers = [new Speaker(second!, "second"), new Speaker(third!, "third")];
      await eventually(() => speakers.every(({ said }) => said > 20), { what: "they speak" });
      first!.socket.emit("do", "crash", []);
      await eventually(() => first!.losses.length > 0, { what: "the client notices" });
      await eventually(() => first!.socket.connected, { what: "the client is back" });
      expect(first!.socket.recovered).toBe(true);
      await eventually(() => speakers.every(({ said }) => said > 60), { what: "they go on" });
      for (const speaker of speakers) await speaker.stop();
      await expectNothingLost([first!, second!, third!], speakers);
    });

    test.each(["websocket", "polling"] as const)("all instances are reloaded, over %s", async (transport) => {
      const listeners = await connectAll(transport);
      // It talks through whoever serves it; what it says while it is moved is said again.
      const speaking = new Broadcaster(cluster);
      await speaking.begin();
      await cluster.operate("reload");
      await eventually(() => listeners.every(({ socket, losses }) => losses.length > 0 && socket.connected), {
        what: "all are back",
      });
      const said = await speaking.stop();
      for (const listener of listeners) {
        expect(listener.socket.recovered).toBe(true);
        const numbers = () =>
          listener.received.flatMap(([event, number]) => (event === "tick" ? (number as number) : []));
        await expect.poll(() => numbers().length).toBeGreaterThanOrEqual(said.length);
        expect(numbers()).toEqual(said);
      }
    });
  });
});

/** Says one, two, three … to everybody over HTTP, from whichever instance answers, one after the other. */
class Broadcaster {
  readonly #cluster: SocketCluster;
  readonly #said: number[] = [];
  #speaking = true;
  #done: Promise<void> = Promise.resolve();

  constructor(cluster: SocketCluster) {
    this.#cluster = cluster;
  }

  async begin(): Promise<void> {
    this.#done = this.#speak();
    await eventually(() => this.#said.length > 10, { what: "it speaks" });
  }

  async stop(): Promise<readonly number[]> {
    this.#speaking = false;
    await this.#done;
    return this.#said;
  }

  async #speak(): Promise<void> {
    for (let number = 1; this.#speaking; number++) {
      const { status } = await fetch(`${this.#cluster.url}/tick?${number}`, { method: "POST" });
      expect(status).toBe(200);
      this.#said.push(number);
    }
  }
}
