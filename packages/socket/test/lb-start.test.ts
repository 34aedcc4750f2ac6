// `lb start` around ordinary Socket.IO programs, ESM and CommonJS, with what npm gets to see.
import { execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import type { ClusterStatus } from "@lb/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import { attended, cli, saidUrl } from "../../core/test/support/shell.ts";
import { connect, connectToEach, type SocketClient, type TransportKind } from "./support/socket-client.ts";

const fixtures = resolve(import.meta.dirname, "fixtures");
const transports: readonly TransportKind[] = ["polling", "upgrade", "websocket"];

async function start(program: string, ...args: string[]) {
  const child = spawn(process.execPath, [cli, "start", program, "-p", "0", ...args], {
    cwd: dirname(program),
    // Of the package manager's, by which everything would be installed everywhere.
    env: { ...process.env, NODE_PATH: "", LB_CONTROL_DIR: join(dirname(program), "control") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const started = attended(child);
  return { url: await saidUrl(started), ...started };
}

/** Sessions that live in the instances, as `lb status` has them. */
async function sessions(program: string): Promise<readonly (number | undefined)[]> {
  const env = { ...process.env, LB_CONTROL_DIR: join(dirname(program), "control") };
  const { stdout } = await promisify(execFile)(process.execPath, [cli, "status", "--json"], { env });
  const { instances } = JSON.parse(stdout) as ClusterStatus;
  return instances.map(({ vitals }) => vitals?.sessions);
}

/** A folder of its own for a program, with these packages installed. */
async function installed(program: string, ...packages: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lb-chat-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(join(fixtures, program), join(folder, program));
  for (const name of packages) {
    const place = name === "@lb/socket" ? resolve(fixtures, "../..") : resolve(fixtures, "../../node_modules", name);
    await mkdir(join(folder, "node_modules", name, ".."), { recursive: true });
    await symlink(place, join(folder, "node_modules", name));
  }
  return join(folder, program);
}

/** Twelve of each kind. */
async function crowd(url: string): Promise<SocketClient[]> {
  const all = transports.flatMap((transport) => Array.from({ length: 12 }, () => connect(url, { transport })));
  onTestFinished(async () => {
    for (const connecting of await Promise.allSettled(all)) {
      if (connecting.status === "fulfilled") connecting.value.close();
    }
  });
  return Promise.all(all);
}

const got = (client: SocketClient, event: string) => client.received.filter(([name]) => name === event).length;

describe.each(["proxy", "handoff"])("a chat that knows nothing of instances, in %s mode", (mode) => {
  test.each(["chat.cjs", "chat.mjs"])(
    "%s: everybody connects and stays; with @lb/socket all hear all",
    async (name) => {
      const program = await installed(name, "socket.io", "@lb/socket");
      const { url, said } = await start(program, "-i", "3", "--mode", mode);
      const clients = await crowd(url);
      const of = (id: number) => clients.filter(({ instance }) => instance === id).length;
      await expect.poll(() => sessions(program), { interval: 500 }).toEqual([of(1), of(2), of(3)]);
      expect(new Set(clients.map(({ instance }) => instance))).toEqual(new Set([1, 2, 3]));
      for (const text of ["one", "two"]) {
        const answers = clients.map(({ socket }) => socket.timeout(8_000).emitWithAck("echo", text));
        expect(new Set(await Promise.all(answers))).toEqual(new Set([text]));
      }
      for (const { socket } of clients) socket.emit("say", "hello");
      await expect.poll(() => clients.map((client) => got(client, "said"))).toEqual(clients.map(() => 36));
      expect(clients.flatMap(({ losses }) => losses)).toEqual([]);
      expect(said()).not.toMatch(/warning/i);
    },
  );
});

describe.each(["proxy", "handoff"])("without @lb/socket, in %s mode", (mode) => {
  test("they connect and stay too, it is said once that events stay where they are, and a stop ends all soon", async () => {
    const program = await installed("chat.mjs", "socket.io");
    const { url, child, exited, said } = await start(program, "-i", "3", "--mode", mode);
    const clients = await crowd(url);
    for (const { socket } of clients) socket.emit("say", "hello");
    const neighbours = (client: SocketClient) => clients.filter(({ instance }) => instance === client.instance).length;
    await expect.poll(() => clients.map((client) => got(client, "said"))).toEqual(clients.map(neighbours));
    expect(clients.flatMap(({ losses }) => losses)).toEqual([]);
    // What an instance writes comes by way of the primary.
    await expect.poll(said).toContain("LB_EVENTS_STAY");
    expect(said().match(/LB_EVENTS_STAY/g)).toHaveLength(1);
    await expect.poll(said).toContain("npm install @lb/socket");
    const startedAt = performance.now();
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
    // Thirteen sessions an instance, at a pace: nobody waits for the grace to be over.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    // What makes a client come back by itself.
    expect(clients.map(({ losses }) => losses)).toEqual(clients.map(() => ["transport close"]));
  });
});

test.each([
  ["unmodified.mjs", "proxy"],
  ["unmodified.cjs", "handoff"],
])("%s in %s mode: one that calls setupWorker() itself has its say", async (program, mode) => {
  const { url } = await start(resolve(fixtures, program), "-i", "2", "--mode", mode);
  const clients = await connectToEach(url, 2, { transport: "polling" });
  onTestFinished(() => {
    for (const client of clients) client.close();
  });
  for (const client of clients) {
    client.socket.emit("say", `from ${client.instance}`);
    await expect
      .poll(() => clients.map(({ received }) => received.at(-1)))
      .toEqual(clients.map(() => ["said", `from ${client.instance}`]));
    expect(got(client, "said")).toBe(client.instance);
  }
  expect(clients.flatMap(({ losses }) => losses)).toEqual([]);
});

test("what a program says to the namespaces of a server that it has closed is said to nobody, and is no error", async () => {
  const program = await installed("closed.mjs", "socket.io", "@lb/socket");
  const { url, said } = await start(program, "-i", "1");
  await fetch(url);
  await eventually(() => said().includes("goes on"), { what: "what follows" });
  expect(said().match(/^.*\|.*$/gm)).toEqual(["1 | sockets: 0", "1 | sockets: 0", "1 | goes on"]);
});
