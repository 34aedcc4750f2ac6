import { get } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { freePorts } from "../../packages/core/test/support/free-ports.ts";
import { ExampleProcess } from "./example-process.ts";

interface WhoAmI {
  readonly instance: number;
  readonly port: number;
  readonly pid: number;
}

/** On a connection of its own. */
function whoami(port: number): Promise<WhoAmI> {
  return new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", path: "/api/whoami", agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(JSON.parse(text) as WhoAmI);
        else reject(new Error(`status ${response.statusCode}`));
      });
    }).on("error", reject);
  });
}

async function startQuickstart() {
  const port = await freePorts(5);
  const startedAt = performance.now();
  const example = new ExampleProcess("quickstart/server.js", { PORT: String(port) });
  await example.says("Ctrl-C stops it.");
  return { port, example, startMs: performance.now() - startedAt };
}

test("the banner names the public URL and each instance with port and PID", async () => {
  const { port, example } = await startQuickstart();
  expect(example.stdout).toContain(`http://127.0.0.1:${port}\n`);
  for (let instance = 1; instance <= 4; instance++) {
    expect(example.stdout).toMatch(
      new RegExp(`instance ${instance} +http://127\\.0\\.0\\.1:${port + instance} +pid \\d+`),
    );
  }
});

test("40 requests on new connections reach all four instances; each answers on its own port too", async () => {
  const { port } = await startQuickstart();
  const seen = new Map<number, number>();
  for (let n = 0; n < 40; n++) {
    const { instance } = await whoami(port);
    seen.set(instance, (seen.get(instance) ?? 0) + 1);
  }
  expect([...seen.keys()].sort()).toEqual([1, 2, 3, 4]);
  for (let instance = 1; instance <= 4; instance++) {
    expect(await whoami(port + instance)).toMatchObject({ instance, port: port + instance });
  }
});

test("a WebSocket says who answers, echoes and stays connected", async () => {
  const { port } = await startQuickstart();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  onTestFinished(() => socket.terminate());
  const message = () => new Promise<string>((resolve) => socket.once("message", (bytes) => resolve(String(bytes))));
  expect(JSON.parse(await message())).toMatchObject({ instance: expect.any(Number) as number });
  for (let n = 0; n < 20; n++) {
    const echoed = message();
    socket.send(`hello ${n}`);
    expect(await echoed).toBe(`hello ${n}`);
  }
  expect(socket.readyState).toBe(WebSocket.OPEN);
});

test("kill -9 under steady requests: no request fails, and four instances are ready again within 3 s", async () => {
  const { port, startMs } = await startQuickstart();
  // On a machine that has no time for either, it takes no longer than a start.
  const withinMs = Math.max(3_000, 3 * startMs);
  const victim = await whoami(port);
  let running = true;
  let answered = 0;
  const failures: unknown[] = [];
  const clients = Array.from({ length: 8 }, async () => {
    while (running) {
      await whoami(port).then(
        () => answered++,
        (error: unknown) => failures.push(error),
      );
    }
  });
  await expect.poll(() => answered).toBeGreaterThan(100);
  process.kill(victim.pid, "SIGKILL");
  const killedAt = performance.now();
  // The instance's own port answers from a new process.
  await expect
    .poll(async () => (await whoami(port + victim.instance).catch(() => victim)).pid, { timeout: withinMs })
    .not.toBe(victim.pid);
  expect(performance.now() - killedAt).toBeLessThan(withinMs + 500);
  const before = answered;
  await expect.poll(() => answered).toBeGreaterThan(before + 100);
  running = false;
  await Promise.all(clients);
  // A GET that was in flight on the killed instance is repeated on another.
  expect(failures).toEqual([]);
  const pids = new Set<number>();
  for (let n = 0; n < 40; n++) pids.add((await whoami(port)).pid);
  expect(pids.size).toBe(4);
  expect(pids).not.toContain(victim.pid);
});

test("SIGTERM ends it and all its instances, with exit code 0", async () => {
  const { port, example } = await startQuickstart();
  example.child.kill("SIGTERM");
  expect(await example.exited).toBe(0);
  for (let offset = 0; offset <= 4; offset++) {
    await expect(whoami(port + offset)).rejects.toThrow("ECONNREFUSED");
  }
});
