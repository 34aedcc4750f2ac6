import { createServer } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { OptionError } from "@lb/core";
import { Redis } from "ioredis";
import { Server } from "socket.io";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type SetupWorkerOptions, setupWorker } from "../src/index.ts";
import { RedisServer } from "./support/redis-server.ts";
import { connect, type SocketClient } from "./support/socket-client.ts";
import { SocketCluster } from "./support/socket-cluster.ts";

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.dispose());

function exposedGc(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

async function startServer(options: SetupWorkerOptions) {
  const http = createServer();
  const io = new Server(http);
  const worker = setupWorker(io, options);
  io.on("connection", (socket) => socket.emit("welcome", socket.data.instance));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    await io.close();
    await worker.close();
  });
  const { port } = http.address() as { port: number };
  return { io, worker, url: `http://127.0.0.1:${port}` };
}

async function clientOf(url: string): Promise<SocketClient> {
  const client = await connect(url);
  onTestFinished(() => client.close());
  return client;
}

describe("in a process that is no instance", () => {
  test("Redis is used all the same", async () => {
    const [one, other] = [await startServer({ redis: redis.url }), await startServer({ redis: redis.url })];
    const client = await clientOf(other.url);
    await expect.poll(() => [one, other].map(({ worker }) => worker.status().redis?.state)).toEqual(["ready", "ready"]);
    one.io.emit("from afar", 1);
    await expect.poll(() => client.received).toEqual([["from afar", 1]]);
    expect(client.instance).toBeNull();
    expect(other.worker.status()).toMatchObject({ adapter: "redis", sessions: 1 });
  });

  test("without Redis it changes nothing", async () => {
    const { io, worker, url } = await startServer({});
    const client = await clientOf(url);
    expect(client.socket.io.engine.id).toHaveLength(20);
    expect(worker.status()).toEqual({ adapter: "none", sessions: 1, redis: undefined });
    io.emit("here", 1);
    await expect.poll(() => client.received).toEqual([["here", 1]]);
  });
});

test("a client that was given is used, by duplicates, and stays open", async () => {
  const given = new Redis(redis.url);
  onTestFinished(() => given.disconnect());
  const { io, worker, url } = await startServer({ redis: given, prefix: "given" });
  await expect.poll(() => worker.status().redis?.state).toBe("ready");
  const client = await clientOf(url);
  const foreign = await startServer({ redis: redis.url, prefix: "given" });
  await expect.poll(() => foreign.worker.status().redis?.state).toBe("ready");
  foreign.io.emit("from afar");
  await expect.poll(() => client.received).toEqual([["from afar"]]);
  await io.close();
  await expect.poll(() => worker.status().redis?.state).toBe("closed");
  expect(given.status).toBe("ready");
  expect(await given.ping()).toBe("PONG");
});

test("set up before it is attached, a server closes its connections with the HTTP server all the same", async () => {
  const io = new Server();
  const worker = setupWorker(io, { redis: redis.url });
  const http = createServer();
  io.attach(http);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  await expect.poll(() => worker.status().redis?.state).toBe("ready");
  http.close();
  await expect.poll(() => worker.status().redis?.state).toBe("closed");
});

test("recovery that could not work is refused, with what would", async () => {
  const io = new Server({ connectionStateRecovery: {} });
  expect(() => setupWorker(io, { redis: redis.url })).toThrow("streams: true");
  const worker = setupWorker(io, { redis: redis.url, streams: true });
  await expect.poll(() => worker.status().redis?.state).toBe("ready");
  await worker.close();
});

test("each state of Redis is told once", async () => {
  const own = await RedisServer.start();
  onTestFinished(() => own.dispose());
  const told: string[] = [];
  await startServer({ redis: own.url, onRedisStatus: ({ state }) => told.push(state) });
  await expect.poll(() => told).toEqual(["ready"]);
  await own.stop();
  await expect.poll(() => told).toEqual(["ready", "degraded"]);
});

test("FAULTS 49: what cannot be sent does not pile up", async () => {
  const own = await RedisServer.start();
  onTestFinished(() => own.dispose());
  const { io, worker } = await startServer({ redis: own.url });
  await expect.poll(() => worker.status().redis?.state).toBe("ready");
  own.freeze();
  const text = "x".repeat(1_000);
  const gc = exposedGc();
  const heldBytes = () => {
    gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = heldBytes();
  for (let sent = 0; sent < 60_000; sent++) {
    io.emit("news", text);
    if (sent % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  // All of them would hold more than 300 MB.
  expect((heldBytes() - before) / 2 ** 20).toBeLessThan(120);
});

test("messages that nobody should have sent end nothing", async () => {
  const { io, worker, url } = await startServer({ redis: redis.url, prefix: "junk" });
  await expect.poll(() => worker.status().redis?.state).toBe("ready");
  const client = await clientOf(url);
  const stranger = new Redis(redis.url);
  onTestFinished(() => stranger.disconnect());
  for (const junk of ["", "{", "null", "[]", "{}", "\xc1", '{"type":99}', '{"type":2,"opts":null}']) {
    for (const channel of ["junk#/#", "junk-request#/#", "junk-response#/#"]) {
      expect(await stranger.publish(channel, junk)).toBeGreaterThan(0);
    }
  }
  io.emit("still here");
  await expect.poll(() => client.received).toEqual([["still here"]]);
  expect(worker.status().redis?.connections.map(({ error }) => error)).toContainEqual(expect.any(String));
});

test("several machines: two clusters on one Redis see each other", async () => {
  const options = { cluster: { instances: 2 }, socket: { redis: redis.url, prefix: "machines" } };
  await using one = await SocketCluster.start(options);
  await using other = await SocketCluster.start(options);
  const [here, there] = [await one.connect(), await other.connect()];
  onTestFinished(() => {
    here.close();
    there.close();
  });
  await expect
    .poll(async () => {
      await here.order("broadcast", "across");
      return there.received.length;
    })
    .toBeGreaterThan(0);
  // An instance that hears already may not be counted yet.
  await expect.poll(() => here.order("askInstances")).toHaveLength(3);
  const fetched = async () => ((await here.order("fetch", there.socket.id)) as { id: string }[]).map(({ id }) => id);
  await expect.poll(fetched).toEqual([there.socket.id]);
});

describe("misuse", () => {
  test("a server is set up once", async () => {
    const { io } = await startServer({});
    expect(() => setupWorker(io)).toThrow(expect.objectContaining({ code: "LB_ALREADY_SET_UP" }));
  });

  test("options that cannot be are refused before anything is connected", () => {
    const io = new Server();
    expect(() => setupWorker(io, { redis: redis.url, sharded: true, streams: true })).toThrow(OptionError);
    expect(() => setupWorker(io, { streams: true })).toThrow(OptionError);
  });
});
