import { createServer, type RequestListener } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Http1Transport } from "../src/front/transport/http1-transport.ts";
import type { UpstreamFailure } from "../src/front/transport/upstream.ts";
import { systemClock } from "../src/model/clock.ts";
import type { Address, Endpoint } from "../src/model/endpoint.ts";
import type { Http1Pool } from "../src/model/http1-reach.ts";
import { addressText } from "../src/model/listener-address.ts";
import { eventually } from "./support/eventually.ts";
import { ManualClock } from "./support/manual-clock.ts";
import { answering, type BackendConnection, ok, rawBackend } from "./support/raw-backend.ts";
import { reachBy, ways } from "./support/reached-server.ts";
import { get, TestClient, TestExchange } from "./support/test-exchange.ts";
import { transportContract } from "./support/transport-contract.ts";

const endpointAt = (address: Address): Endpoint => ({
  id: addressText(address),
  slot: 0,
  incarnation: 1,
  weight: 1,
  address,
});

function transportTo(address: Address, pool: Partial<Http1Pool> = {}, clock = systemClock): Http1Transport {
  return new Http1Transport({ endpoint: endpointAt(address), reach: { address, pool }, clock });
}

const loopbackAt = (port: number) => ({ kind: "tcp", host: "127.0.0.1", port }) as const;

for (const way of ways) {
  transportContract(`HTTP/1.1 pool, ${way}`, async (server) => {
    const { reach, stop } = await reachBy(way, server);
    const transport = new Http1Transport({ endpoint: endpointAt(reach.address), reach, clock: systemClock });
    return {
      transport,
      stopEndpoint: stop,
      async end() {
        transport.close();
        await stop();
      },
    };
  });
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function pool(
  script: (connection: BackendConnection) => void | Promise<void>,
  options: Partial<Http1Pool> = {},
  clock = systemClock,
) {
  const backend = await rawBackend(script);
  const transport = transportTo(loopbackAt(backend.port), options, clock);
  cleanUps.push(
    () => backend.close(),
    () => transport.close(),
  );
  return { backend, transport };
}

async function exchange(transport: Http1Transport, options?: { readonly fresh?: boolean }): Promise<TestExchange> {
  const one = new TestExchange(transport, new TestClient(), options);
  one.stream.write(get("/"));
  await eventually(() => one.body !== undefined, { what: "a response" });
  return one;
}

test("connections are kept and used again, the most recent first", async () => {
  const { backend, transport } = await pool(answering(ok("fine")));
  const first = await exchange(transport);
  const second = await exchange(transport);
  expect(backend.connections).toBe(2);
  first.release();
  second.release();
  const third = await exchange(transport);
  expect(third.stream).toBe(second.stream);
  expect(third.stream.reused).toBe(true);
  expect(backend.connections).toBe(2);
});

test("a fresh stream is on a connection that no exchange used before", async () => {
  const { backend, transport } = await pool(answering(ok("fine")));
  (await exchange(transport)).release();
  const fresh = await exchange(transport, { fresh: true });
  expect(fresh.stream.reused).toBe(false);
  expect(backend.connections).toBe(2);
});

test("no more idle connections are kept than maxIdle", async () => {
  const { backend, transport } = await pool(answering(ok("fine")), { maxIdle: 2 });
  const exchanges = await Promise.all(Array.from({ length: 5 }, () => exchange(transport)));
  expect(backend.connections).toBe(5);
  for (const each of exchanges) each.release();
  const again = await Promise.all(Array.from({ length: 5 }, () => exchange(transport)));
  expect(again.filter(({ stream }) => stream.reused)).toHaveLength(2);
  expect(backend.connections).toBe(8);
});

test("a connection is closed after maxRequestsPerConnection exchanges", async () => {
  const { backend, transport } = await pool(answering(ok("fine")), { maxRequestsPerConnection: 3 });
  for (let n = 0; n < 7; n++) (await exchange(transport)).release();
  expect(backend.connections).toBe(3);
});

test("idle connections are closed when their time is up", async () => {
  const clock = new ManualClock();
  let closed = 0;
  const { transport } = await pool(
    async (connection) => {
      void connection.closed.then(() => closed++);
      await answering(ok("fine"))(connection);
    },
    { idleTimeoutMs: 1_000 },
    clock,
  );
  (await exchange(transport)).release();
  clock.advance(999);
  (await exchange(transport)).release();
  clock.advance(999);
  expect(closed).toBe(0);
  clock.advance(1);
  await eventually(() => closed === 1, { what: "the idle connection closes" });
  expect(clock.pending).toBe(0);
});

test("an endpoint that does not take the connection in time has failed, and nothing was sent", async () => {
  // A listener whose queue is full neither accepts nor refuses.
  const clock = new ManualClock();
  const transport = transportTo({ kind: "unix", path: "/nonexistent/lb-test.sock" }, { connectTimeoutMs: 500 }, clock);
  cleanUps.push(() => transport.close());
  const refused = new TestExchange(transport, new TestClient());
  refused.stream.write(get("/"));
  await eventually(() => refused.failure, { what: "a failure" });
  expect(refused.failure).toMatchObject({ reason: "connect", sent: false });

  const never = transportTo(loopbackAt(9), { connectTimeoutMs: 500 }, clock);
  cleanUps.push(() => never.close());
  const waiting = new TestExchange(never, new TestClient());
  // Before the refusal, which takes a turn of the event loop, has come in.
  clock.advance(500);
  expect(waiting.failure).toMatchObject({ reason: "connect", sent: false });
  expect(waiting.failure?.cause?.message).toContain("timeout");
});

test("bytes on an idle connection end it", async () => {
  let poke = () => {};
  let closed = false;
  const { backend, transport } = await pool(async (connection) => {
    void connection.closed.then(() => {
      closed = true;
    });
    await connection.head();
    connection.send(ok("fine"));
    poke = () => connection.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled");
    await connection.head();
    connection.send(ok("fine"));
  });
  (await exchange(transport)).release();
  poke();
  await eventually(() => closed, { what: "the connection closes" });
  expect((await exchange(transport)).text).not.toContain("smuggled");
  expect(backend.connections).toBe(2);
});

test("nothing is left of a pool that was closed", async () => {
  const server = createServer(((_request, response) => response.end("ok")) satisfies RequestListener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const transport = transportTo(loopbackAt(port));
  (await exchange(transport)).release();
  transport.close();
  await new Promise((resolve) => server.close(resolve));
  const probe = connect(port, "127.0.0.1");
  await expect(new Promise((resolve, reject) => probe.once("connect", resolve).once("error", reject))).rejects.toThrow(
    "ECONNREFUSED",
  );
});

test.each([
  ["closes it, and is there", (connection: BackendConnection) => connection.socket.destroy(), false],
  ["resets it, and is there", (connection: BackendConnection) => connection.socket.resetAndDestroy(), false],
  ["is gone", undefined, true],
] as const)("FAULTS 70: of an endpoint that is replaced when it dies, one that %s", async (_what, end, down) => {
  const backend = await rawBackend(async (connection) => {
    await connection.head();
    end?.(connection);
    if (end === undefined) await backend.close();
  });
  const address = loopbackAt(backend.port);
  const transport = new Http1Transport({
    endpoint: endpointAt(address),
    reach: { address, supervised: true },
    clock: systemClock,
  });
  cleanUps.push(
    () => backend.close(),
    () => transport.close(),
  );
  const fails = async () => {
    const one = new TestExchange(transport, new TestClient());
    one.stream.write(get("/"));
    return (await eventually(() => one.failure, { what: "its failure" })) as UpstreamFailure;
  };
  const failure = await fails();
  expect([failure.reason, failure.sent, failure.endpointDown === true]).toEqual(["reset", true, down]);
  if (down) expect(await fails()).toMatchObject({ reason: "connect", sent: false, endpointDown: true });
});
