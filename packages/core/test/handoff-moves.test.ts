// Connections that move between workers without their clients noticing, on every Node that is supported.
import { fork } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import type { HandoffCommand, HandoffStatus } from "./fixtures/handoff-primary.ts";
import { eventually } from "./support/eventually.ts";
import { RawClient } from "./support/raw-client.ts";
import { seededRandom } from "./support/seeded-random.ts";

const workspace = createRequire(import.meta.url);
const compat = createRequire(new URL("../../../compat/package.json", import.meta.url));
const nodes = {
  "22": compat.resolve("node22/bin/node"),
  "24": workspace.resolve("node/bin/node"),
  "26": compat.resolve("node26/bin/node"),
};
const fixture = fileURLToPath(new URL("./fixtures/handoff-primary.ts", import.meta.url));

interface Primary extends HandoffStatus {
  ask(command: HandoffCommand): Promise<HandoffStatus>;
}

async function startPrimary(execPath: string): Promise<Primary> {
  const child = fork(fixture, [], { execPath, execArgv: ["--disable-warning=ExperimentalWarning"] });
  onTestFinished(async () => {
    const exit = once(child, "exit");
    child.disconnect();
    await exit;
  });
  const [status] = (await once(child, "message")) as [HandoffStatus];
  const waiting: ((status: HandoffStatus) => void)[] = [];
  child.on("message", (answer) => waiting.shift()?.(answer as HandoffStatus));
  return {
    ...status,
    ask: (command) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        child.send(command);
      }),
  };
}

interface Visit {
  readonly pid: number;
  readonly remotePort: number;
}

const ask = "GET /who HTTP/1.1\r\nHost: a\r\n\r\n";

async function visit(client: RawClient): Promise<Visit> {
  const { status, headers, body } = await client.send(ask).response();
  expect(status).toBe(200);
  expect(headers["connection"]).toBe("keep-alive");
  const seen = JSON.parse(body.toString());
  expect(seen.remotePort).toBe(client.socket.localPort);
  return seen;
}

async function connect(port: number): Promise<RawClient> {
  const client = await RawClient.ofTest(port);
  return client;
}

describe.for(Object.entries(nodes))("Node %s", ([version, execPath]) => {
  test("one connection, 100 moves within 300 requests", { timeout: 60_000 }, async () => {
    const primary = await startPrimary(execPath);
    expect(primary.node).toMatch(new RegExp(`^v${version}\\.`));
    const client = await connect(primary.port);
    let at = primary.pids.indexOf((await visit(client)).pid);
    for (let move = 1; move <= 100; move++) {
      await primary.ask({ kind: "return", worker: at, most: 1 });
      // Sometimes the next request comes while the connection is on its way, sometimes after.
      if (move % 2 === 0) {
        await eventually(async () => (await primary.ask({ kind: "status" })).returned === move, { what: "it is back" });
      }
      const pid = (await visit(client)).pid;
      const { returned, refusals } = await eventually(
        async () => {
          const status = await primary.ask({ kind: "status" });
          return status.returned === move && status;
        },
        { what: "it has moved" },
      );
      expect({ returned, refusals }).toEqual({ returned: move, refusals: [] });
      if (move % 2 === 0) expect(pid).toBe(primary.pids[1 - at]);
      at = 1 - at;
      expect((await visit(client)).pid).toBe(primary.pids[at]);
      await visit(client);
    }
  });

  test("200 clients that never pause: moved to and fro, then drained out of one worker, no error", {
    timeout: 120_000,
  }, async () => {
    const primary = await startPrimary(execPath);
    let going = true;
    let requests = 0;
    const visited = Array.from({ length: 200 }, () => new Set<number>());
    async function work(pids: Set<number>, seed: number): Promise<void> {
      const random = seededRandom(seed);
      const client = await connect(primary.port);
      while (going) {
        pids.add((await visit(client)).pid);
        requests++;
        if (random() < 0.3) await new Promise((resolve) => setTimeout(resolve, random() * 20));
      }
    }
    const clients = Promise.all(visited.map(work));
    // Told below, where it is awaited; meanwhile it is nobody's.
    clients.catch(() => {});
    await eventually(() => requests > 400, { what: "all are at work" });
    let turn = 0;
    await eventually(
      async () => {
        const { returned } = await primary.ask({ kind: "return", worker: turn++ % 2, most: 50 });
        return returned >= 400 && visited.filter((pids) => pids.size === 2).length > 100;
      },
      { what: "400 moves, and half of the clients at both", withinMs: 80_000 },
    );
    await primary.ask({ kind: "return", worker: 0, most: "all" });
    let last: HandoffStatus | undefined;
    await eventually(
      async () => {
        last = await primary.ask({ kind: "status" });
        return last.connections[0] === 0 && last.connections[1] === 200 && last.held === 0;
      },
      { what: () => `all are at the second worker: ${JSON.stringify(last)}` },
    );
    const before = requests;
    await eventually(() => requests > before + 400, { what: "they go on at the second" });
    going = false;
    await clients;
  });

  test("what is in the middle of a request stays, and goes when that is answered", async () => {
    const primary = await startPrimary(execPath);
    const client = await connect(primary.port);
    const { pid } = await visit(client);
    const worker = primary.pids.indexOf(pid);
    // The beginning of a head is in the parser.
    client.send(ask.slice(0, 10));
    const other = await connect(primary.port);
    const slow = await connect(primary.port);
    // By turns, the third of them comes to the worker of the first.
    await visit(other);
    slow.send("GET /slow?ms=300 HTTP/1.1\r\nHost: a\r\n\r\n");
    await eventually(async () => (await primary.ask({ kind: "status" })).connections[worker] === 2, { what: "both" });
    await primary.ask({ kind: "return", worker, most: "all" });
    expect((await slow.response()).body.toString()).toBe("slow");
    client.send(ask.slice(10));
    expect(JSON.parse((await client.response()).body.toString()).pid).toBe(pid);
    await eventually(async () => (await primary.ask({ kind: "status" })).returned === 2, { what: "both have moved" });
    expect((await visit(client)).pid).not.toBe(pid);
    expect((await visit(slow)).pid).not.toBe(pid);
  });

  test("what comes back is read by the primary, which decides anew by the next request", async () => {
    const primary = await startPrimary(execPath);
    const client = await connect(primary.port);
    const { pid } = await visit(client);
    await primary.ask({ kind: "return", worker: primary.pids.indexOf(pid), most: "all" });
    await eventually(async () => (await primary.ask({ kind: "status" })).held === 1, { what: "it is back" });
    expect((await visit(client)).pid).not.toBe(pid);
    expect((await visit(client)).pid).not.toBe(pid);
    expect((await primary.ask({ kind: "status" })).held).toBe(0);
  });

  test("one that is given back after a pause of the worker's is not lost in Node's own queue", async () => {
    const primary = await startPrimary(execPath);
    const clients = await Promise.all(Array.from({ length: 8 }, () => connect(primary.port)));
    const at = new Map<number, RawClient[]>();
    for (const client of clients) {
      const { pid } = await visit(client);
      at.set(pid, [...(at.get(pid) ?? []), client]);
    }
    const [[blocked, ...idle]] = [...at.values()] as [RawClient[]];
    expect(idle.length).toBeGreaterThan(1);
    blocked!.send("GET /return-and-block?ms=1300 HTTP/1.1\r\nHost: a\r\n\r\n");
    expect((await blocked!.response()).body.toString()).toBe("blocked");
    await Promise.all(clients.map(visit));
  });

  test("a tunnel is never moved", async () => {
    const primary = await startPrimary(execPath);
    const client = await connect(primary.port);
    client.send("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    expect((await client.response()).status).toBe(101);
    await primary.ask({ kind: "return", worker: 0, most: "all" });
    const second = await connect(primary.port);
    await visit(second);
    expect((await client.send("still here").take(10)).toString()).toBe("still here");
    expect((await primary.ask({ kind: "status" })).returned).toBe(0);
  });
});
