// Connection state recovery with the IPC adapter: clients whose instance is killed or reloaded go on at another one.
import { describe, expect, test } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import * as jsonParser from "./fixtures/json-parser.ts";
import { type Client, IpcCluster } from "./support/ipc-cluster.ts";

const recovery = { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } };

/** The numbers of a sender's messages, in the order in which they came. */
function numbersFrom(client: Client, sender: number): number[] {
  return client.of("traffic").flatMap(([from, number]) => (from === sender ? [number as number] : []));
}

/** What clients get: all in the room, the others without each third. */
function expected(upTo: number, inRoom: boolean): number[] {
  return Array.from({ length: upTo }, (_, index) => index + 1).filter((number) => inRoom || number % 3 !== 0);
}

describe.each(["proxy", "handoff"])("in %s mode", (mode) => {
  test("an instance is killed under traffic: none lost, none twice, in order", async () => {
    const cluster = await IpcCluster.start({ mode }, recovery);
    const clients = await Promise.all(Array.from({ length: 9 }, () => cluster.client(0)));
    const inRoom = clients.filter((_, index) => index % 2 === 0);
    for (const client of inRoom) await client.socket.emitWithAck("join", "room");
    for (const client of clients) await expect.poll(() => client.of("welcome")).toHaveLength(1);
    const ids = clients.map(({ socket }) => socket.id);
    const hit = clients.filter((client) => client.of("welcome")[0]![0] === 1);
    expect(hit.length).toBeGreaterThan(0);

    for (const instance of [1, 2, 3]) await cluster.call(instance, "start");
    await eventually(() => clients.every((client) => client.of("traffic").length > 100), { what: "traffic" });
    process.kill(cluster.pid(1), "SIGKILL");
    await eventually(() => hit.every((client) => client.of("welcome").length === 2), { what: "all are back" });
    const stopped = [0, 0, await cluster.call(2, "stop"), await cluster.call(3, "stop")] as number[];
    for (const client of clients) {
      const arrived = (sender: number) =>
        numbersFrom(client, sender).at(-1) === expected(stopped[sender]!, inRoom.includes(client)).at(-1);
      await eventually(() => [2, 3].every(arrived), { what: "the end of the traffic" });
    }

    for (const client of clients) {
      const isInRoom = inRoom.includes(client);
      for (const sender of [2, 3]) expect(numbersFrom(client, sender)).toEqual(expected(stopped[sender]!, isInRoom));
      // What the dead one sent last may have reached nobody else, but there is no hole in it, and nothing twice.
      const fromDead = numbersFrom(client, 1);
      expect(fromDead).toEqual(expected(fromDead.at(-1)!, isInRoom));
    }
    for (const client of hit) expect(client.of("welcome")[1]!.slice(1)).toEqual([true, "made at 1"]);
    expect(clients.map(({ socket }) => socket.id)).toEqual(ids);
    expect(clients.every(({ socket }) => socket.recovered || !hit.some((client) => client.socket === socket))).toBe(
      true,
    );
  });

  test("a reload under traffic: none lost, none twice, in order", async () => {
    const cluster = await IpcCluster.start({ mode, instances: 2, drainTimeoutMs: 500 }, recovery);
    const clients = await Promise.all(Array.from({ length: 6 }, () => cluster.client(0)));
    for (const client of clients) await client.socket.emitWithAck("join", "room");
    for (const client of clients) await expect.poll(() => client.of("welcome")).toHaveLength(1);
    let sent = 0;
    const arrived: number[] = [];
    const emitting = setInterval(() => {
      const number = ++sent;
      clients[0]!.socket.timeout(20_000).emit("to", "room", number, (error: Error | null) => {
        if (error === null) arrived.push(number);
      });
    }, 5);
    await cluster.primary.operate("reload");
    clearInterval(emitting);
    for (const client of clients) await eventually(() => client.of("welcome").length >= 2, { what: "all were moved" });
    await clients[0]!.socket.emitWithAck("to", "room", -1);
    for (const client of clients.slice(1)) {
      await eventually(() => client.of("said").at(-1)?.[0] === -1, { what: "the last message" });
    }
    const heard = clients[1]!.of("said").slice(0, -1).flat() as number[];
    expect(heard).toEqual([...new Set(heard)].sort((a, b) => a - b));
    // Socket.IO does not promise that what a client sends arrives; what did, as far as the client knows, is here.
    expect(arrived.filter((number) => !heard.includes(number))).toEqual([]);
    expect(arrived.length).toBeGreaterThan(50);
    for (const client of clients.slice(1)) expect(client.of("said").slice(0, -1).flat()).toEqual(heard);
    for (const client of clients)
      expect(
        client
          .of("welcome")
          .slice(1)
          .every(([, recovered]) => recovered),
      ).toBe(true);
  });
});

describe("who comes back", () => {
  test("gets what was for it alone, by the rooms it was in at the time", async () => {
    const cluster = await IpcCluster.start({}, recovery);
    await cluster.client(2);
    const client = await cluster.client(1, { reconnection: false });
    const bystander = await cluster.client(2);
    await expect.poll(() => client.of("welcome")).toHaveLength(1);
    await cluster.call(2, "emitTo", "blue", "before", 1);
    await client.socket.emitWithAck("join", "blue");
    await client.socket.emitWithAck("join", "red");
    await client.socket.emitWithAck("leave", "red");
    await cluster.call(2, "emitTo", "blue", "seen", 1);
    await expect.poll(() => client.of("seen")).toEqual([[1]]);
    const { id } = client.socket;
    client.socket.io.engine.close();
    await expect.poll(() => cluster.call(1, "local")).toEqual([]);

    await cluster.call(2, "emitTo", "blue", "missed", 1);
    await cluster.call(3, "emitTo", "red", "left before", 1);
    await cluster.call(3, "emitExcept", "blue", "excepted", 1);
    await cluster.call(3, "emitTo", id, "to it alone", 1);
    await cluster.call(1, "emitBinary", "bytes", 10);
    await cluster.call(2, "emitVolatile", "volatile", 1);
    await expect.poll(() => bystander.of("bytes")).toHaveLength(1);
    // At the third instance, which it has never met.
    const { port } = cluster.up.instances[2]!;
    Object.assign(client.socket.io, { uri: `http://127.0.0.1:${port}` });
    client.events.length = 0;
    client.socket.connect();
    await expect.poll(() => client.of("welcome")).toEqual([[3, true, "made at 1"]]);
    expect(client.socket.id).toBe(id);
    expect(client.events.map(([event]) => event).sort()).toEqual(["bytes", "missed", "to it alone", "welcome"]);
    expect(client.of("bytes")).toEqual([[{ bytes: Buffer.alloc(10, 7), also: [Buffer.from("ß")] }]]);
    await cluster.call(1, "emitTo", "blue", "still", 1);
    await expect.poll(() => client.of("still")).toEqual([[1]]);
    expect((await cluster.call(2, "fetch", "blue")) as unknown[]).toHaveLength(1);
  });

  test("gets what it missed whatever the parser", async () => {
    const cluster = await IpcCluster.start({ instances: 2 }, recovery, { LB_TEST_PARSER: "json" });
    const client = await cluster.client(1, { parser: jsonParser, reconnectionDelay: 1 });
    await expect.poll(() => client.of("welcome")).toHaveLength(1);
    await cluster.call(2, "emit", "seen", 1);
    await expect.poll(() => client.of("seen")).toEqual([[1]]);
    client.socket.io.engine.close();
    await cluster.call(2, "emit", "missed", 1);
    await expect.poll(() => client.of("welcome")).toEqual([expect.anything(), [1, true, "made at 1"]]);
    await cluster.call(2, "emit", "after", 1);
    await expect.poll(() => client.of("after")).toEqual([[1]]);
    expect(client.of("missed")).toEqual([[1]]);
    expect(client.of("seen")).toEqual([[1]]);
  });

  test("with a secret or an offset that is not its own begins anew, and disturbs nobody", async () => {
    const cluster = await IpcCluster.start({ instances: 2 }, recovery);
    const client = await cluster.client(1);
    await expect.poll(() => client.of("welcome")).toHaveLength(1);
    const { _pid: pid, _lastOffset: offset } = client.socket as unknown as { _pid: string; _lastOffset: string };
    expect(pid).toMatch(/^[\w-]{20}$/);
    const forgeries = [
      { pid: "A".repeat(20), offset },
      { pid: "x".repeat(100_000), offset },
      { pid: "../../x", offset },
      { pid: "", offset },
      { pid, offset: "" },
      { pid, offset: "1-1" },
      { pid, offset: "zzzzzzzzzz-0-1.1" },
      { pid, offset: "-1-0-1.1" },
      { pid, offset: `${offset}'` },
      { pid: { $ne: 1 }, offset },
      // A live session is nobody else's.
      { pid, offset },
    ];
    const forged = await Promise.all(forgeries.map((auth) => cluster.client(2, { auth })));
    for (const { socket } of forged) {
      expect(socket.id).not.toBe(client.socket.id);
      expect(socket.recovered).toBeFalsy();
    }
    expect(client.socket.connected).toBe(true);
    expect(client.of("welcome")).toHaveLength(1);

    const { id } = client.socket;
    client.socket.io.reconnection(false);
    client.socket.io.engine.close();
    await expect.poll(() => cluster.call(1, "local")).toEqual([]);
    // One of many who come at the same time with the same session gets it.
    const many = await Promise.all([1, 2, 1, 2, 1].map((at) => cluster.client(at, { auth: { pid, offset } })));
    expect(many.filter(({ socket }) => socket.id === id)).toHaveLength(1);
    expect(new Set(many.map(({ socket }) => socket.id)).size).toBe(5);
    expect(cluster.primary.stderr).toBe("");
  });

  test("is known to have what it has confirmed, however much was said that was not for it", async () => {
    const cluster = await IpcCluster.start(
      { instances: 2 },
      { ...recovery, pingInterval: 50, pingTimeout: 5_000 },
      { LB_TEST_ADAPTER: JSON.stringify({ recovery: { maxEntries: 6 } }) },
    );
    const client = await cluster.client(1);
    let pings = 0;
    client.socket.io.on("ping", () => (pings += 1));
    await expect.poll(() => client.of("welcome")).toHaveLength(1);
    for (let n = 0; n < 20; n += 1) await cluster.call(2, "emitTo", "elsewhere", "said", n);
    const before = pings;
    await expect.poll(() => pings).toBeGreaterThan(before + 3);
    client.socket.io.engine.close();
    await cluster.call(2, "emit", "missed", 1);
    await expect.poll(() => client.of("welcome")).toHaveLength(2);
    expect(client.of("welcome")[1]![1]).toBe(true);
    await expect.poll(() => client.of("missed")).toEqual([[1]]);
    expect(client.of("said")).toEqual([]);
  });

  test("after too long, or when more was said than is kept, begins anew", async () => {
    const cluster = await IpcCluster.start(
      { instances: 2 },
      { connectionStateRecovery: { maxDisconnectionDuration: 2_500 } },
      { LB_TEST_ADAPTER: JSON.stringify({ recovery: { maxEntries: 6 } }) },
    );
    const client = await cluster.client(1);
    client.socket.io.reconnection(false);
    const comesBack = async (times: number) => {
      client.socket.connect();
      await expect.poll(() => client.of("welcome")).toHaveLength(times);
      return client.of("welcome").at(-1)![1];
    };
    const leave = async () => {
      client.socket.io.engine.close();
      await expect.poll(() => cluster.call(1, "local")).toEqual([]);
    };
    await expect.poll(() => client.of("welcome")).toHaveLength(1);
    await leave();
    for (let n = 0; n < 5; n += 1) await cluster.call(2, "emit", "said", n);
    expect(await comesBack(2)).toBe(true);
    expect(client.of("said")).toEqual([[0], [1], [2], [3], [4]]);
    await leave();
    for (let n = 5; n < 12; n += 1) await cluster.call(2, "emit", "said", n);
    // An answer to what was said behind it: all of it has come to the other instance, and is nobody's there.
    await cluster.call(2, "ask", "heard?");
    expect(await comesBack(3)).toBe(false);
    await leave();
    // The session is gone when its time is over, and nothing else tells.
    await new Promise((resolve) => setTimeout(resolve, 2_600));
    expect(await comesBack(4)).toBe(false);
    expect(client.of("said")).toHaveLength(5);
  });
});
