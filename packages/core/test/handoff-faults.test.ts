// Workers that die, stop or run out of descriptors while connections are on their way to them.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { type HandoffWorker, startHandoffFront } from "./support/handoff-front.ts";
import { RawClient } from "./support/raw-client.ts";

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const post = "POST /hash HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";

async function pidOf(client: RawClient): Promise<number> {
  const { status, body } = await client.response();
  return status === 200 ? JSON.parse(body.toString()).pid : status;
}

function stop({ child }: HandoffWorker): void {
  child.kill("SIGSTOP");
}

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

test("FAULTS 44: what travels to a worker that dies is handed to another one, a POST too", async () => {
  const { front, port } = await startHandoffFront();
  const [dying, other] = front.workers as [HandoffWorker, HandoffWorker];
  const warmUp = await RawClient.ofTest(port);
  expect(await pidOf(warmUp.send(get("/who")))).toBe(dying.child.pid);
  const descriptors = openDescriptors();
  stop(dying);
  const clients: RawClient[] = [];
  for (let n = 0; n < 20; n++) clients.push((await RawClient.ofTest(port)).send(n % 2 === 0 ? post : get("/who")));
  // The one that is in the stopped worker's channel; those behind it have been diverted by then.
  await eventually(() => dying.lane.unconfirmed === 1 && other.lane.unconfirmed === 0, { what: "one is stuck" });
  dying.child.kill("SIGKILL");
  const answers = await Promise.all(clients.map((client) => client.response()));
  expect(answers.map(({ status }) => status)).toEqual(clients.map(() => 200));
  for (const client of clients) client.destroy();
  await expect.poll(() => front.connections.size).toBe(0);
  await expect.poll(openDescriptors).toBeLessThanOrEqual(descriptors);
  await expect.poll(() => front.balancer.status().endpoints.map(({ inFlight }) => inFlight)).toEqual([0]);
});

test("FAULTS 44: without another worker it waits for one", async () => {
  // Its successor may take long to start.
  const { front, port } = await startHandoffFront({ workers: 1, maxWaitMs: 25_000 });
  const [only] = front.workers as [HandoffWorker];
  stop(only);
  const [travelling, queued] = [await RawClient.ofTest(port), await RawClient.ofTest(port)];
  travelling.send(get("/who"));
  queued.send(get("/who"));
  await eventually(() => only.lane.unconfirmed === 2, { what: "both are on their way" });
  only.child.kill("SIGKILL");
  const late = await RawClient.ofTest(port);
  late.send(get("/who"));
  const successor = await front.addWorker();
  for (const client of [travelling, queued, late]) expect(await pidOf(client)).toBe(successor.child.pid);
});

test("FAULTS 44: without another worker it is refused when none comes in time", async () => {
  const { front, port } = await startHandoffFront({ workers: 1, maxWaitMs: 300, timeouts: { lingerMs: 100 } });
  const [only] = front.workers as [HandoffWorker];
  stop(only);
  const [first, second] = [await RawClient.ofTest(port), await RawClient.ofTest(port)];
  first.send(post);
  second.send(post);
  await eventually(() => only.lane.unconfirmed === 2, { what: "both are on their way" });
  only.child.kill("SIGKILL");
  expect((await first.response()).status).toBe(503);
  expect((await second.response()).status).toBe(503);
  await expect.poll(() => front.connections.size).toBe(0);
});

test("FAULTS 45: a worker that takes nothing is passed over, and used again when it does", async () => {
  const { front, port } = await startHandoffFront({ lane: { stallMs: 100 } });
  const [stalled, other] = front.workers as [HandoffWorker, HandoffWorker];
  stop(stalled);
  const clients = await Promise.all(
    Array.from({ length: 40 }, async () => (await RawClient.ofTest(port)).send(get("/who"))),
  );
  await eventually(() => !stalled.lane.accepting && stalled.lane.unconfirmed === 1, { what: "it has stalled" });
  const stuck = 1;
  const answered = () => clients.filter(({ pending }) => pending.length > 0).length;
  await eventually(() => answered() === clients.length - stuck, { what: "all but one are answered elsewhere" });
  const late = await RawClient.ofTest(port);
  expect(await pidOf(late.send(get("/who")))).toBe(other.child.pid);
  stalled.child.kill("SIGCONT");
  const pids = await Promise.all(clients.map(pidOf));
  expect(pids.filter((pid) => pid === stalled.child.pid)).toHaveLength(stuck);
  await expect.poll(() => stalled.lane.accepting).toBe(true);
  const again = [await RawClient.ofTest(port), await RawClient.ofTest(port)];
  expect(new Set(await Promise.all(again.map((client) => pidOf(client.send(get("/who"))))))).toContain(
    stalled.child.pid,
  );
});

test("FAULTS 45: a crowd before one worker goes to another, and waits where there is none", async () => {
  const { front, port } = await startHandoffFront({ lane: { stallMs: 60_000, crowdedAt: 20 }, maxWaitMs: 200 });
  const [slow, other] = front.workers as [HandoffWorker, HandoffWorker];
  stop(slow);
  const clients: RawClient[] = [];
  const answered = () => clients.filter(({ pending }) => pending.length > 0).length;
  while (clients.length < 60) {
    clients.push((await RawClient.ofTest(port)).send(get("/who")));
    await eventually(() => answered() + slow.lane.unconfirmed === clients.length, { what: "it is placed" });
  }
  expect(slow.lane.unconfirmed).toBe(21);
  stop(other);
  const late = await Promise.all(
    Array.from({ length: 100 }, async () => (await RawClient.ofTest(port)).send(get("/who"))),
  );
  await eventually(() => front.workers.reduce((sum, { lane }) => sum + lane.unconfirmed, 0) === 121, {
    what: "all of them wait",
  });
  for (const { child } of front.workers) child.kill("SIGCONT");
  const statuses = (await Promise.all([...clients, ...late].map((client) => client.response()))).map(
    ({ status }) => status,
  );
  expect(statuses).toEqual(statuses.map(() => 200));
});

test("FAULTS 12: a connection that a worker does not take is answered 504 at the deadline", async () => {
  const { front, port } = await startHandoffFront({ workers: 1, timeouts: { responseMs: 300, lingerMs: 100 } });
  const [only] = front.workers as [HandoffWorker];
  stop(only);
  const client = await RawClient.ofTest(port);
  expect((await client.send(get("/who")).response()).status).toBe(504);
  await client.closed;
  await expect.poll(() => front.connections.size).toBe(0);
  only.child.kill("SIGCONT");
  const next = await RawClient.ofTest(port);
  expect(await pidOf(next.send(get("/who")))).toBe(only.child.pid);
});

test("killed again and again under load, workers lose no connection that they had not taken, and run none twice", {
  timeout: 120_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), "lb-handoff-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const ledger = join(directory, "ledger");
  const { front, port } = await startHandoffFront({ workers: 3, env: { HANDOFF_LEDGER: ledger } });
  const alive = () => front.workers.filter(({ child }) => child.exitCode === null && child.signalCode === null);
  // Each worker takes one for its channel.
  const descriptors = () => openDescriptors() - alive().length;
  const before = descriptors();
  const kills = 4;
  let running = true;
  let ids = 0;
  const answered: string[] = [];
  const counts = { cut: 0, refused: 0 };
  async function client(): Promise<void> {
    while (running) {
      const one = await RawClient.connect(port);
      const id = `${++ids}`;
      try {
        one.send(`POST /log?id=${id} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc`);
        if ((await one.response()).status === 200) answered.push(id);
        else counts.refused++;
      } catch {
        counts.cut++;
      } finally {
        one.destroy();
      }
    }
  }
  async function kill(): Promise<void> {
    for (let kill = 0; kill < kills; kill++) {
      const sofar = answered.length;
      await eventually(() => answered.length > sofar + 100, { what: "a hundred answers" });
      alive()[0]!.child.kill("SIGKILL");
      await front.addWorker();
    }
  }
  const load = Promise.all(Array.from({ length: 16 }, client));
  await kill().finally(() => {
    running = false;
  });
  await load;
  expect(counts.refused).toBe(0);
  // Cut are only those that the worker was answering.
  expect(counts.cut).toBeLessThanOrEqual(16 * kills);
  const begun = readFileSync(ledger, "utf8").trim().split("\n");
  expect(begun).toHaveLength(new Set(begun).size);
  expect(new Set(begun)).toEqual(new Set([...begun, ...answered]));
  await expect.poll(() => front.connections.size).toBe(0);
  await expect.poll(descriptors).toBe(before);
  await expect.poll(() => front.balancer.status().endpoints.reduce((sum, { inFlight }) => sum + inFlight, 0)).toBe(0);
});

test("a client that leaves on its way, or before its head is complete, leaves nothing behind", async () => {
  const { front, port } = await startHandoffFront({ workers: 1 });
  const [only] = front.workers as [HandoffWorker];
  stop(only);
  const descriptors = openDescriptors();
  const clients = await Promise.all(
    Array.from({ length: 10 }, async () => (await RawClient.ofTest(port)).send(get("/who"))),
  );
  const partial = (await RawClient.ofTest(port)).send("GET / HT");
  await eventually(() => only.lane.unconfirmed === 10, { what: "all are on their way" });
  for (const client of [...clients, partial]) client.destroy();
  only.child.kill("SIGCONT");
  await expect.poll(() => front.connections.size).toBe(0);
  await expect.poll(openDescriptors).toBeLessThanOrEqual(descriptors);
  await expect.poll(() => only.report?.connections).toBe(0);
  expect(only.lane.load.open).toBe(0);
});
