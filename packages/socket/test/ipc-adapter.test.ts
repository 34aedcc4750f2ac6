// The IPC adapter over real instances and clients: what reaches whom, whatever the instance it comes from.
import { describe, expect, test } from "vitest";
import { IpcCluster } from "./support/ipc-cluster.ts";

describe.each([
  { mode: "proxy", recovery: false },
  { mode: "handoff", recovery: true },
])("in $mode mode, connection state recovery: $recovery", ({ mode, recovery }) => {
  const io = recovery ? { connectionStateRecovery: {} } : {};

  test("everything that Socket.IO sends reaches the clients of all instances", async () => {
    const cluster = await IpcCluster.start({ mode }, io, recovery ? { LB_TEST_TWICE: "1" } : {});
    const [a, b, c] = await Promise.all([1, 2, 3].map((instance) => cluster.client(instance)));
    const other = await cluster.client(2, { namespace: "/other" });

    await a!.socket.emitWithAck("join", "red");
    await b!.socket.emitWithAck("join", "red");
    await cluster.call(3, "emit", "all", 1, { two: "zwei 💥", three: [null, 3.5] });
    await cluster.call(3, "emitTo", "red", "some", "text");
    await cluster.call(1, "emitTo", ["red", "blue"], "once", 1);
    await cluster.call(2, "emitExcept", "red", "rest", 1);
    await cluster.call(1, "emitOther", "elsewhere", 1);
    a!.socket.emit("to", "red", "to the others");
    await cluster.call(1, "emit", "end");
    for (const client of [a!, b!, c!]) {
      await expect.poll(() => client.of("end")).toHaveLength(1);
      await expect.poll(() => client.of("all")).toEqual([[1, { two: "zwei 💥", three: [null, 3.5] }]]);
      expect(client.of("elsewhere")).toEqual([]);
    }
    // One that has something else to send drops what is volatile.
    await cluster.call(1, "emitVolatile", "volatile", 1);
    for (const client of [a!, b!, c!]) await expect.poll(() => client.of("volatile")).toEqual([[1]]);
    await expect.poll(() => [a, b, c].map((client) => client!.of("some"))).toEqual([[["text"]], [["text"]], []]);
    expect([a, b, c].map((client) => client!.of("once"))).toEqual([[[1]], [[1]], []]);
    // What comes of two instances comes in any order.
    await expect.poll(() => [a, b, c].map((client) => client!.of("rest"))).toEqual([[], [], [[1]]]);
    await expect.poll(() => b!.of("said")).toEqual([["to the others"]]);
    expect(a!.of("said")).toEqual([]);
    await expect.poll(() => other.of("elsewhere")).toEqual([[1]]);

    // A room may have the name of somebody else's own.
    await c!.socket.emitWithAck("join", a!.socket.id);
    await cluster.call(1, "emitTo", a!.socket.id, "shared", 1);
    for (const client of [a!, c!]) await expect.poll(() => client.of("shared")).toEqual([[1]]);
    await c!.socket.emitWithAck("leave", a!.socket.id);

    await cluster.call(2, "emitBinary", "bytes", 100_000);
    for (const client of [a!, b!, c!]) {
      await expect.poll(() => client.of("bytes")).toHaveLength(1);
      expect(client.of("bytes")).toEqual([[{ bytes: Buffer.alloc(100_000, 7), also: [Buffer.from("ß")] }]]);
    }

    for (const client of [a!, b!, c!]) client.socket.on("ask", (n, answer) => answer(n + 1));
    expect(await cluster.call(1, "emitWithAck", 5_000, "ask", 1)).toEqual([2, 2, 2]);

    const ids = [a, b, c].map((client) => client!.socket.id).sort();
    const sockets = (await cluster.call(2, "fetch")) as { id: string; note: string; rooms: string[] }[];
    expect(sockets.map(({ id }) => id).sort()).toEqual(ids);
    expect(sockets).toContainEqual({ id: a!.socket.id, note: "made at 1", rooms: [a!.socket.id, "red"].sort() });
    expect(await cluster.call(3, "ask", "a question")).toEqual(
      expect.arrayContaining(["1 heard a question", "2 heard a question"]),
    );
    await cluster.call(1, "tell", "news");
    await expect.poll(() => cluster.call(3, "heard")).toEqual(["news"]);

    // What is asked of sockets is done at the instance that asks when the call returns, and elsewhere before what follows.
    const members = [a!.socket.id, b!.socket.id].sort();
    expect(await cluster.call(1, "joinThenEmit", "red", "team", "start")).toEqual(members);
    await cluster.call(1, "leaveThenEmit", "team", "team", "too late");
    await cluster.call(1, "emit", "end of the team");
    for (const client of [a!, b!]) {
      await expect.poll(() => client.of("end of the team")).toHaveLength(1);
      expect([client.of("start"), client.of("too late")]).toEqual([[[]], []]);
    }

    await cluster.call(3, "socketsJoin", "red", "green");
    await expect.poll(async () => ((await cluster.call(1, "fetch", "green")) as unknown[]).length).toBe(2);
    await cluster.call(2, "socketsLeave", "green", "green");
    await expect.poll(() => cluster.call(1, "fetch", "green")).toEqual([]);
    c!.socket.emit("goodbye");
    await expect.poll(() => c!.of("last words")).toHaveLength(1);
    expect(await cluster.call(1, "disconnectThenCount", "red")).toBe(0);
    await expect.poll(() => [a!.socket.connected, b!.socket.connected]).toEqual([false, false]);
    expect(await cluster.call(3, "closeThenEmit")).toEqual([[], []]);
    expect(await cluster.call(2, "ask", "who is there?")).toEqual(["1 heard who is there?"]);
    expect(cluster.primary.stderr).toBe("");
  });

  test("an instance that dies keeps nobody waiting; one that says nothing does, for its time", async () => {
    const cluster = await IpcCluster.start({ mode, instances: 3 }, io);
    await cluster.client(1);
    await expect.poll(() => cluster.call(1, "ask", "who")).toHaveLength(2);
    process.kill(cluster.pid(3), "SIGSTOP");
    const startedAt = performance.now();
    const asked = [cluster.call(1, "fetch"), cluster.call(1, "ask", "are you there?")];
    await expect.poll(() => cluster.call(2, "heard")).toContain("are you there?");
    process.kill(cluster.pid(3), "SIGKILL");
    expect((await asked[0]) as unknown[]).toHaveLength(1);
    expect(await asked[1]).toEqual(["2 heard are you there?"]);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await cluster.call(2, "hush");
    await expect(cluster.call(1, "ask", "and you?")).rejects.toThrow("timeout reached: 1 instance(s)");
  });
});
