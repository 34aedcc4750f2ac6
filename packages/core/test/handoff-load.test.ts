// What the primary knows of requests that it never sees: the workers' reports, in the balancer's books.
import { expect, onTestFinished, test } from "vitest";
import { HandoffFront, type HandoffFrontOptions, type HandoffWorker } from "./support/handoff-front.ts";
import { RawClient } from "./support/raw-client.ts";

async function start(options: Partial<HandoffFrontOptions> = {}) {
  const front = new HandoffFront({ workers: 1, ...options });
  onTestFinished(() => front.close());
  const port = await front.start();
  const [worker] = front.workers as [HandoffWorker];
  /** The balancer's count of leases, and what was booked besides; `all` is both. */
  const books = () => {
    const { requests, failures, inFlight } = front.balancer.status().endpoints[0]!;
    const { begun, response, success, failure, cancelled } = worker.booked;
    const others = begun - response - success - failure - cancelled;
    return { requests: requests + begun, failures: failures + failure, inFlight: inFlight + others };
  };
  return { front, port, worker, books };
}

async function connect(port: number): Promise<RawClient> {
  const client = await RawClient.ofTest(port);
  return client;
}

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;

test("every request on a kept connection is counted once", async () => {
  const { port, worker, books } = await start();
  const client = await connect(port);
  for (let n = 0; n < 250; n++) await client.send(get("/who")).response();
  await expect.poll(books).toEqual({ requests: 250, failures: 0, inFlight: 0 });
  expect(worker.report).toMatchObject({ inFlight: 0, connections: 1 });
  client.destroy();
  await expect.poll(() => worker.report?.connections).toBe(0);
  expect(books()).toEqual({ requests: 250, failures: 0, inFlight: 0 });
});

test("a request counts from when its connection is sent until its response ends", async () => {
  const { port, books } = await start();
  const clients = await Promise.all(Array.from({ length: 5 }, () => connect(port)));
  for (const client of clients) client.send(get("/slow?ms=600"));
  await expect.poll(() => books().inFlight).toBe(5);
  for (const client of clients) await client.response();
  await expect.poll(books).toEqual({ requests: 5, failures: 0, inFlight: 0 });
  // The second request of each is one that the primary only hears of.
  for (const client of clients) client.send(get("/slow?ms=600"));
  await expect.poll(() => books().inFlight).toBe(5);
  for (const client of clients) await client.response();
  await expect.poll(books).toEqual({ requests: 10, failures: 0, inFlight: 0 });
});

test("the time to a response's head is reported, not that to its end", async () => {
  const { port, worker } = await start();
  const seen: number[] = [];
  worker.reported = ({ succeeded, maxLatencyMs }) => {
    if (succeeded > 0) seen.push(maxLatencyMs);
  };
  const client = await connect(port);
  await client.send(get("/slow?ms=300")).response();
  await client.send(get("/stream?ms=900")).response();
  await expect.poll(() => seen).toHaveLength(2);
  expect(seen[0]).toBeGreaterThanOrEqual(290);
  expect(seen[1]).toBeLessThan(600);
});

test("failures are told apart: by status, broken off by the app, broken off by the client", async () => {
  const { port, worker, books } = await start();
  const sum = { errors: {} as Record<string, number>, reset: 0, cancelled: 0, succeeded: 0 };
  worker.reported = (report) => {
    for (const key of ["reset", "cancelled", "succeeded"] as const) sum[key] += report[key];
    for (const [status, count] of report.errors) sum.errors[status] = (sum.errors[status] ?? 0) + count;
  };
  const errors = { 404: 1, 500: 1, 502: 1, 503: 1, 504: 1 };
  const client = await connect(port);
  for (const code of [200, 404, 500, 502, 503, 504]) await client.send(get(`/status?code=${code}`)).response();
  await expect.poll(() => sum).toEqual({ errors, reset: 0, cancelled: 0, succeeded: 1 });
  const broken = await connect(port);
  await broken.send(get("/break")).closed;
  await expect.poll(() => sum).toEqual({ errors, reset: 1, cancelled: 0, succeeded: 1 });
  const leaving = await connect(port);
  leaving.send(get("/half"));
  await leaving.until(() => leaving.pending.length > 0);
  leaving.socket.resetAndDestroy();
  await expect.poll(() => sum).toEqual({ errors, reset: 1, cancelled: 1, succeeded: 1 });
  const closing = await connect(port);
  closing.send(get("/half"));
  await closing.until(() => closing.pending.length > 0);
  closing.destroy();
  await expect.poll(() => sum).toEqual({ errors, reset: 1, cancelled: 2, succeeded: 1 });
  expect(books()).toEqual({ requests: 9, failures: 5, inFlight: 0 });
});

const get200 = get("/slow?ms=20").repeat(200);
const upload = "POST /hash HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbegun";

/** What a client does on a connection of its own, and what else the worker is to be like. */
const clients: readonly [name: string, act: (client: RawClient) => unknown, env?: Record<string, string>][] = [
  ["garbage behind 200 requests", (client) => client.send(`${get200}garbage\r\n\r\n`).closed],
  [
    "garbage, where the app looks to errors of clients",
    (client) => client.send(`${get200}garbage\r\n\r\n`).closed,
    { HANDOFF_CLIENT_ERRORS: "yes" },
  ],
  ["200 requests, and a reset", (client) => client.send(get200).socket.resetAndDestroy()],
  ["200 requests, and an end", (client) => client.send(get200).socket.end()],
  [
    "requests behind one that is the last",
    (client) => client.send(`GET /slow?ms=20 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${get200}`).closed,
  ],
  ["requests behind one that the app makes the last", (client) => client.send(get("/close") + get200).closed],
  ["an upload that stops", (client) => client.send(upload).closed, { HANDOFF_REQUEST_MS: "200" }],
  [
    "an upload that stops, where the app waits for no one",
    (client) => client.send(upload).closed,
    { HANDOFF_TIMEOUT_MS: "200" },
  ],
  [
    "a response that nobody reads",
    (client) => {
      client.socket.pause();
      client.send(get("/large"));
      // Until the worker gives up, which the test waits for.
    },
    { HANDOFF_TIMEOUT_MS: "200" },
  ],
  [
    "more requests than a connection may have",
    async (client) => {
      client.send(get("/who").repeat(200));
      for (let n = 0; n < 200; n++) expect((await client.response()).status).toBe(n < 100 ? 200 : 503);
      client.destroy();
    },
    { HANDOFF_MAX_REQUESTS: "100" },
  ],
];

test.for(clients)("nothing that a client does is a failure of the instance: %s", async ([, act, env = {}]) => {
  const { port, worker, books } = await start({ env });
  const client = await connect(port);
  await act(client);
  await expect.poll(() => [worker.report?.connections, worker.report?.inFlight]).toEqual([0, 0]);
  expect(books()).toMatchObject({ failures: 0, inFlight: 0 });
  expect(books().requests).toBeGreaterThan(0);
});

test("an app that breaks off the first of 50 requests has failed once", async () => {
  const { port, worker, books } = await start();
  const client = await connect(port);
  await client.send(get("/break") + get("/slow?ms=1000").repeat(49)).closed;
  await expect.poll(() => worker.report?.connections).toBe(0);
  expect(books()).toEqual({ requests: 50, failures: 1, inFlight: 0 });
});

test("a tunnel is in flight until it closes", async () => {
  const { port, books } = await start();
  const client = await connect(port);
  await client.send(get("/who")).response();
  client.send("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  await client.response();
  await expect.poll(books).toEqual({ requests: 2, failures: 0, inFlight: 1 });
  await client.send("x").take(1);
  client.destroy();
  await expect.poll(books).toEqual({ requests: 2, failures: 0, inFlight: 0 });
});

test("what a worker had in flight when it died ends as failed", async () => {
  const { front, port, worker } = await start();
  const clients = await Promise.all(Array.from({ length: 3 }, () => connect(port)));
  for (const client of clients) client.send(get("/slow?ms=60000"));
  await expect.poll(() => worker.report?.inFlight).toBe(3);
  const drained = front.balancer.drained(worker.endpoint);
  worker.child.kill("SIGKILL");
  await Promise.all(clients.map(({ closed }) => closed));
  await drained;
  expect(worker.lane.load.open).toBe(0);
});

test("a blocked event loop is seen in the next report", async () => {
  const { port, worker } = await start();
  const client = await connect(port);
  const other = await connect(port);
  await other.send(get("/who")).response();
  await client.send(get("/block?ms=500")).response();
  await expect.poll(() => worker.report?.loopLagMs).toBeGreaterThan(200);
});

test("reports are few: ten a second under load, none in silence", async () => {
  const { port, worker } = await start();
  let reports = 0;
  worker.reported = () => reports++;
  const client = await connect(port);
  const startedAt = performance.now();
  let requests = 0;
  while (performance.now() - startedAt < 1_000) {
    await client.send(get("/who")).response();
    requests++;
  }
  expect(requests).toBeGreaterThan(50);
  expect(reports).toBeGreaterThanOrEqual(3);
  expect(reports).toBeLessThanOrEqual(12);
});
