// FAULTS.md, the rows that happen to workers: real processes, killed, stopped and blocked, with the ledger.
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { connectionsAreClients, isUnread } from "./support/edge.ts";
import { Ledger } from "./support/ledger.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { allGone } from "./support/processes.ts";
import { RawClient } from "./support/raw-client.ts";

async function startCluster(options: object, shell?: string) {
  const ledger = new Ledger();
  const primary = new PrimaryProcess("ledger.ts", {
    env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, ...options }), LB_TEST_LEDGER: ledger.path },
    ...(shell === undefined ? {} : { shell }),
  });
  const up = await primary.up();
  return { ledger, primary, port: up.port, pids: up.instances.map(({ pid }) => pid!) };
}

const modes = ["proxy", "handoff"] as const;

const open = (port: number): Promise<{ socket: WebSocket; pid: number }> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    onTestFinished(() => socket.terminate());
    socket.once("error", reject);
    socket.once("message", (pid) => resolve({ socket, pid: Number(pid) }));
  });

test("FAULTS 1, 2, 3: workers are killed under load: no GET fails, no POST runs twice, the primary stays", async () => {
  const { ledger, primary, port } = await startCluster({ instances: 3, restart: { delayMs: 50, maxCrashes: 100 } });
  let running = true;
  const clients = Array.from({ length: 12 }, async (_, client) => {
    for (let n = client; running; n++)
      await ledger.ask(port, n % 3 === 0 ? "POST" : "GET", "/work?ms=5", n % 3 === 0 ? "abc" : "");
  });
  for (let kill = 0; kill < 4; kill++) {
    const before = ledger.entries.length;
    await expect.poll(() => ledger.entries.length, { timeout: 10_000 }).toBeGreaterThan(before + 100);
    const { instances } = await primary.status();
    const victim = instances.find(({ state }) => state === "ready")!;
    process.kill(victim.pid!, "SIGKILL");
    await primary.statusThat(({ instances: now }) =>
      now.every(({ state, pid }) => state === "ready" && pid !== victim.pid),
    );
  }
  running = false;
  await Promise.all(clients);
  ledger.balance();
  const failed = ledger.entries.filter(({ result }) => result.kind === "failed" || result.status !== 200);
  // A POST that was with the killed worker has one honest answer. Nothing else fails.
  expect(failed.filter(({ method }) => method === "GET")).toEqual([]);
  for (const { result } of failed) expect(result).toMatchObject({ kind: "answered", status: 502 });
  expect(failed.length).toBeLessThanOrEqual(4 * 12);
  expect((await primary.status()).pid).toBe(primary.pid);
});

test.each(modes)(
  "FAULTS 4: SIGKILL after the response head: the client sees a cut, and nothing is repeated (%s)",
  async (mode) => {
    const { ledger, port } = await startCluster({ mode, instances: 2 });
    for (const path of ["/half?length", "/half?chunked"]) {
      const client = await RawClient.connect(port);
      client.send(`GET ${path}&id=${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await client.until(() => client.pending.includes("the beginning"));
      const [line] = ledger.lines().filter((entry) => entry.startsWith(path));
      process.kill(Number(line!.split(" ")[1]), "SIGKILL");
      await client.closed;
      expect(client.pending.toString()).not.toContain("\r\n0\r\n\r\n");
      expect(ledger.worked().get(path)).toBe(1);
      client.destroy();
    }
  },
);

test("FAULTS 5: SIGKILL during an upload: 502 for a POST, a repetition for a PUT whose body is still held", async () => {
  const { ledger, port } = await startCluster({ instances: 2 });
  for (const [method, status] of [
    ["POST", 502],
    ["PUT", 200],
  ] as const) {
    const client = await RawClient.ofTest(port);
    client.send(`${method} /work?id=${method} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234`);
    await expect.poll(() => ledger.worked().get(method)).toBe(1);
    const line = ledger.lines().find((entry) => entry.startsWith(`${method} `));
    process.kill(Number(line!.split(" ")[1]), "SIGKILL");
    if (method === "PUT") {
      await expect.poll(() => ledger.worked().get(method)).toBe(2);
      client.send("56789");
    }
    const response = await client.response();
    expect(response.status).toBe(status);
    if (status === 200) expect(response.body.toString()).toMatch(/ 10$/);
  }
});

test.each(modes)(
  "FAULTS 7: SIGKILL under WebSockets: those of the killed worker close, and not by a time-out; the others go on (%s)",
  async (mode) => {
    const { port, pids } = await startCluster({ mode, instances: 3, strategy: "round-robin" });
    const sockets = await Promise.all(Array.from({ length: 30 }, () => open(port)));
    const victim = pids[0]!;
    const hit = sockets.filter(({ pid }) => pid === victim);
    const spared = sockets.filter(({ pid }) => pid !== victim);
    expect(hit.length).toBeGreaterThan(0);
    const closed = Promise.all(hit.map(({ socket }) => new Promise((resolve) => socket.once("close", resolve))));
    const killedAt = performance.now();
    process.kill(victim, "SIGKILL");
    await closed;
    // The time-out of a tunnel is an hour.
    expect(performance.now() - killedAt).toBeLessThan(10_000);
    for (const { socket } of spared) {
      const echoed = new Promise((resolve) => socket.once("message", (message) => resolve(String(message))));
      socket.send("still there?");
      expect(await echoed).toBe("still there?");
    }
  },
);

test.each(modes)(
  "FAULTS 11: all workers die at once: requests wait and are served by the new ones (%s)",
  async (mode) => {
    const { ledger, port, pids } = await startCluster({ mode, instances: 2 });
    for (const pid of pids) process.kill(pid, "SIGKILL");
    // As long as the kernel has not ended them they take requests, and one that died with both of them is not tried a third time.
    await allGone(pids);
    const results = await Promise.all(Array.from({ length: 20 }, () => ledger.ask(port, "GET", "/work")));
    for (const result of results) expect(result).toMatchObject({ kind: "answered", status: 200 });
    ledger.balance();
  },
);

for (const [name, bring] of [
  [
    "FAULTS 12: a blocked event loop",
    async (ledger: Ledger, port: number) => {
      const result = await ledger.ask(port, "GET", "/block?ms=5000");
      return { pid: Number(result.kind === "answered" && result.body), end: () => {} };
    },
  ],
  [
    "FAULTS 14: SIGSTOP",
    async (ledger: Ledger, port: number) => {
      const result = await ledger.ask(port, "GET", "/work");
      const pid = Number.parseInt(result.kind === "answered" ? result.body : "", 10);
      process.kill(pid, "SIGSTOP");
      return { pid, end: () => void process.kill(pid, "SIGCONT") };
    },
  ],
] as const) {
  test(`${name}: 504 at the deadline, then marked down and traffic goes elsewhere; back when it answers again`, async () => {
    const { ledger, primary, port } = await startCluster({
      instances: 2,
      strategy: "round-robin",
      timeouts: { responseMs: 2_000 },
      health: { outlier: { consecutiveFailures: 3, baseEjectionMs: 3_000 } },
    });
    const { pid, end } = await bring(ledger, port);
    const results = await Promise.all(Array.from({ length: 12 }, () => ledger.ask(port, "GET", "/work")));
    const statuses = results.map((result) => (result.kind === "answered" ? result.status : 0));
    expect(new Set(statuses)).toEqual(new Set([200, 504]));
    const marked = await primary.status();
    expect(marked.instances.find((instance) => instance.pid === pid)?.state).toBe("unhealthy");
    // All of them before its time is over.
    const elsewhere = await Promise.all(Array.from({ length: 20 }, () => ledger.ask(port, "GET", "/work")));
    for (const result of elsewhere) {
      expect(result).toMatchObject({ status: 200, body: expect.not.stringMatching(`^${pid} `) });
    }
    end();
    await expect
      .poll(
        async () => {
          const result = await ledger.ask(port, "GET", "/work");
          return result.kind === "answered" && Number.parseInt(result.body, 10);
        },
        { timeout: 20_000 },
      )
      .toBe(pid);
    await primary.statusThat(({ instances }) => instances.every(({ state }) => state === "ready"));
    ledger.balance();
  });
}

test("FAULTS 12, 14: requests on an instance that falls silent go elsewhere if they may, once; the others wait for it", async () => {
  const { ledger, primary, port } = await startCluster({
    instances: 2,
    strategy: "round-robin",
    heartbeat: { intervalMs: 100, outAfterMs: 1_500, killAfterMs: 20_000 },
  });
  const { instances } = await primary.status();
  const stopped = instances[0]!.pid!;
  process.kill(stopped, "SIGSTOP");
  const asked = [...Array(6)].map((_, n) => ledger.ask(port, n < 4 ? "GET" : "POST", "/work", n < 4 ? "" : "abc"));
  const posted = Promise.all(asked.slice(4));
  const served = Number(instances[1]!.pid);
  for (const result of await Promise.all(asked.slice(0, 4))) {
    expect(result).toMatchObject({ kind: "answered", status: 200, body: `${served} 0` });
  }
  process.kill(stopped, "SIGCONT");
  for (const result of await posted) expect(result).toMatchObject({ kind: "answered", status: 200 });
  expect((await primary.status()).instances.map(({ restarts }) => restarts)).toEqual([0, 0]);
  ledger.balance();
});

test("FAULTS 22, 31: an app that never answers: 504 at the deadline; a client that leaves is told to the app, whatever its deadlines", async () => {
  const { ledger, primary, port } = await startCluster({ instances: 2, timeouts: { responseMs: 500 } });
  const askedAt = performance.now();
  expect(await ledger.ask(port, "GET", "/never")).toMatchObject({ status: 504 });
  expect(performance.now() - askedAt).toBeGreaterThan(480);
  expect(ledger.worked().get("r0")).toBe(1);
  await expect.poll(() => ledger.lines().some((line) => line.startsWith("closed:/never?id=r0"))).toBe(true);

  const client = await RawClient.connect(port);
  // Still sending, so that the deadline of the response has not begun.
  client.send("POST /never?id=left HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  await expect.poll(() => ledger.worked().get("left")).toBe(1);
  client.destroy();
  await expect.poll(() => ledger.lines().some((line) => line.startsWith("closed:/never?id=left"))).toBe(true);
  await primary.statusThat(({ instances }) => instances.every(({ inFlight }) => inFlight === 0));
});

const readingModes = modes.filter((mode) => !isUnread(mode));

describe.runIf(connectionsAreClients)("connections", () => {
  test.each(modes)(
    "FAULTS 33: out of descriptors: accepting pauses and recovers, and the primary stays (%s)",
    async (mode) => {
      const { primary, port } = await startCluster(
        { mode, instances: 1, limits: { maxConnections: 10_000 } },
        "ulimit -n 150",
      );
      const clients = await Promise.all(
        Array.from({ length: 300 }, () => RawClient.connect(port).catch(() => undefined)),
      );
      const ask = "GET /work HTTP/1.1\r\nHost: x\r\n\r\n";
      const served = clients.filter((client) => client !== undefined && !client.ended);
      for (const client of served) client!.send(ask);
      await expect.poll(() => served.filter((client) => client!.pending.includes("200 OK")).length).toBeGreaterThan(10);
      // In hand-off mode the descriptors are the instance's.
      if (mode === "proxy") {
        await primary.event("accept-failed");
        const refused = () => clients.filter((client) => client?.pending.includes("503 Service Unavailable")).length;
        await expect.poll(refused, { timeout: 10_000 }).toBeGreaterThan(100);
      }
      for (const client of clients) client?.destroy();
      await expect
        .poll(
          async () => {
            const client = await RawClient.connect(port);
            try {
              return (await client.send(ask).response()).status;
            } catch {
              return "connection ended";
            } finally {
              client.destroy();
            }
          },
          { timeout: 10_000 },
        )
        .toBe(200);
      expect((await primary.status()).pid).toBe(primary.pid);
    },
  );

  test.each(readingModes)(
    "beyond maxConnections: 503, an event that says so, and room again when one leaves (%s)",
    async (mode) => {
      const { ledger, primary, port } = await startCluster({ mode, instances: 2, limits: { maxConnections: 3 } });
      const sockets = await Promise.all([open(port), open(port), open(port)]);
      const status = async () => {
        const result = await ledger.ask(port, "GET", "/work");
        return result.kind === "answered" && result.status;
      };
      // In hand-off mode the instances report their connections.
      await expect.poll(status).toBe(503);
      await primary.event("connections-refused", ({ limit, refused }) => limit === 3 && refused > 0);
      sockets[0]!.socket.close();
      await expect.poll(status).toBe(200);
    },
  );
});

test.each(modes)(
  "an instance whose health check fails is taken out, and comes back when it succeeds again (%s)",
  async (mode) => {
    const { ledger, primary, port, pids } = await startCluster({
      mode,
      instances: 2,
      strategy: "round-robin",
      health: { active: { path: "/healthz", intervalMs: 50, healthyAfter: 2, unhealthyAfter: 2 } },
    });
    const sick = (await ledger.ask(port, "GET", "/sick?answer=no")) as { body: string };
    await primary.statusThat(({ instances }) => instances.some(({ state }) => state === "unhealthy"));
    const answers = await Promise.all(Array.from({ length: 10 }, () => ledger.ask(port, "GET", "/work")));
    for (const answer of answers) expect(answer).not.toMatchObject({ body: `${sick.body} 0` });
    const { instances } = await primary.status();
    const direct = instances.find(({ pid }) => String(pid) === sick.body)!;
    await ledger.ask(direct.port, "GET", "/sick?answer=yes");
    await primary.statusThat(({ instances: now }) => now.every(({ state }) => state === "ready"));
    expect(pids).toContain(Number(sick.body));
  },
);
