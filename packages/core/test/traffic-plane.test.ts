// The traffic plane as if it were in another process: all that passes between it and the cluster goes through JSON.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { Traffic } from "../src/cluster/traffic.ts";
import { emitTrafficEvent } from "../src/cluster/traffic-events.ts";
import type { ClusterEventMap } from "../src/events/cluster-event-map.ts";
import { ClusterEvents } from "../src/events/cluster-events.ts";
import { systemClock } from "../src/model/clock.ts";
import { readRange } from "../src/options/address-range.ts";
import { parseClusterOptions } from "../src/options/cluster-settings.ts";
import { LocalPlane } from "../src/plane/local-plane.ts";
import type { PlaneFact, PlaneOrder, ReachedEndpoint } from "../src/plane/plane-messages.ts";
import type { TrafficPlane } from "../src/plane/traffic-plane.ts";
import { httpGet } from "./support/http-get.ts";
import { RawClient } from "./support/raw-client.ts";
import { portsOf } from "./support/test-listeners.ts";

/** As a channel of Node's has it; what is no plain data does not survive it. */
function overTheWire<Message>(message: Message): Message {
  const arrived = JSON.parse(JSON.stringify(message)) as Message;
  expect(arrived).toStrictEqual(message);
  return arrived;
}

function startPlane(options: object = {}) {
  const settings = parseClusterOptions(
    { port: 0, log: false, ...options },
    { env: {}, parallelism: 2, random: Math.random },
  );
  const local = new LocalPlane({
    settings,
    secret: "a secret of this test alone",
    health: undefined,
    clock: systemClock,
    random: Math.random,
  });
  const facts: PlaneFact[] = [];
  const orders = new Set<PlaneOrder["kind"]>();
  const plane: TrafficPlane = {
    send(order) {
      orders.add(order.kind);
      local.send(overTheWire(order));
    },
    subscribe: (listener) => local.subscribe((fact) => listener(overTheWire(fact))),
    use: (others) => local.use(others),
    status: () => overTheWire(local.status()),
    counts: () => overTheWire(local.counts()),
    totals: () => overTheWire(local.totals()),
  };
  plane.subscribe((fact) => facts.push(fact));
  const traffic = new Traffic(plane);
  onTestFinished(() => traffic.close());
  const told = (kind: PlaneFact["kind"]) => facts.filter((fact) => fact.kind === kind);
  const events = new ClusterEvents<ClusterEventMap>();
  plane.subscribe((fact) => emitTrafficEvent(events, fact));
  return { traffic, told, orders, events };
}

/** An app in this process, in the place of an instance. */
async function startApp(slot: number) {
  const held: (() => void)[] = [];
  const server = createServer((request, response) => {
    if (request.url === "/broken") response.writeHead(503).end();
    else if (request.url === "/dies") request.socket.destroy();
    else if (request.url === "/held") held.push(() => response.end(`${slot + 1}`));
    else response.end(`${slot + 1}`);
  });
  new WebSocketServer({ server });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const endpoint = {
    id: `${slot + 1}.1`,
    slot,
    incarnation: 1,
    weight: 1,
    address: { kind: "unix", path: "/none" },
  } as const;
  const reached: ReachedEndpoint = {
    endpoint,
    reach: { kind: "http1", address: { kind: "tcp", host: "127.0.0.1", port } },
    shownAs: `127.0.0.1:${port}`,
  };
  return { endpoint, reached, held };
}

const roster = (
  taking: readonly ReachedEndpoint[],
  lingering: readonly ReachedEndpoint[] = [],
  silent: string[] = [],
) => ({ kind: "roster", taking, lingering, silent }) as const;

test("requests follow the roster, the share of a canary, and what probes say", async () => {
  const { traffic, told } = startPlane({ health: { active: { path: "/", intervalMs: 60_000 } } });
  const [one, two] = await Promise.all([startApp(0), startApp(1)]);
  const [port] = await portsOf(traffic.listen());
  const ask = async () => (await httpGet(`http://127.0.0.1:${port}/`)).body;
  const waits = ask();
  traffic.order(roster([one.reached]));
  expect(await waits).toBe("1");
  traffic.order(roster([one.reached, two.reached]));
  expect(new Set([await ask(), await ask()])).toEqual(new Set(["1", "2"]));

  traffic.order({ kind: "canary", endpoints: [two.reached], share: 0.5 });
  const shared = await Promise.all(Array.from({ length: 20 }, ask));
  expect(shared.filter((id) => id === "2")).toHaveLength(10);
  traffic.order({ kind: "canary", endpoints: [], share: 0 });

  let why: string | undefined;
  const unwatch = traffic.watch(two.endpoint, (unhealthy) => {
    why = unhealthy;
  });
  for (let n = 0; n < 3; n++) traffic.order({ kind: "probed", endpoint: "2.1", up: false });
  expect(why).toBe("its health checks fail");
  unwatch();
  expect(told("health")).toMatchObject([{ endpoint: "2.1", slot: 1, to: { kind: "probe-down" } }]);
  expect(await Promise.all(Array.from({ length: 4 }, ask))).toEqual(["1", "1", "1", "1"]);
  expect(traffic.status().balancer.endpoints.map(({ endpoint, health }) => [endpoint.id, health.kind])).toEqual([
    ["1.1", "healthy"],
    ["2.1", "probe-down"],
  ]);
});

test("who is on the deny list is not let in, nor is what he has open left to him, until the range is allowed again", async () => {
  const { traffic } = startPlane();
  const one = await startApp(0);
  const [port] = await portsOf(traffic.listen());
  traffic.order(roster([one.reached]));
  const url = `http://127.0.0.1:${port}/`;
  const range = readRange("127.0.0.0/8")!;
  expect((await httpGet(url)).body).toBe("1");
  const held = httpGet(`${url}held`).catch(({ code }: NodeJS.ErrnoException) => code);
  await expect.poll(() => one.held).toHaveLength(1);
  traffic.order({ kind: "deny", range });
  expect(await held).toBe("ECONNRESET");
  await expect(httpGet(url)).rejects.toThrow();
  traffic.order({ kind: "allow", range });
  expect((await httpGet(url)).body).toBe("1");
  traffic.order({ kind: "deny", range, forMs: 300 });
  await expect(httpGet(url)).rejects.toThrow();
  await expect.poll(() => httpGet(url).catch(() => undefined)).toMatchObject({ body: "1" });
  const { requests, connections } = traffic.totals();
  expect(requests).toEqual(traffic.counts().routes[""]);
  expect(requests).toMatchObject({ app: { "2xx": 3 }, left: 1 });
  expect(connections).toBe(traffic.counts().listeners[0]!.open);
});

test("it answers when what is in flight has ended, and gives final counts of who left", async () => {
  const { traffic, told } = startPlane();
  const [one, two] = await Promise.all([startApp(0), startApp(1)]);
  const [port] = await portsOf(traffic.listen());
  traffic.order(roster([one.reached]));
  const held = httpGet(`http://127.0.0.1:${port}/held`);
  await expect.poll(() => one.held).toHaveLength(1);
  traffic.order(roster([two.reached], [], ["1.1"]));
  const over: string[] = [];
  const both = Promise.all([
    traffic.settled(one.endpoint).then(() => over.push("settled")),
    traffic.drained(one.endpoint).then(() => over.push("drained")),
    traffic.drained({ ...one.endpoint, id: "7.1" }).then(() => over.push("unknown")),
  ]);
  await expect.poll(() => over).toEqual(["unknown"]);
  one.held[0]!();
  expect((await held).body).toBe("1");
  await both;
  expect(told("drained")).toEqual([{ kind: "drained", endpoint: "1.1", slot: 0, requests: 1, failures: 0 }]);
});

test("a request that an instance dies with is suspect, but for one whose end was ordered", async () => {
  const { traffic } = startPlane();
  const apps = await Promise.all([startApp(0), startApp(1)]);
  const [port] = await portsOf(traffic.listen());
  traffic.order(roster(apps.map(({ reached }) => reached)));
  for (const id of ["1.1", "2.1", "9.1"]) traffic.order({ kind: "doomed", endpoint: id });
  expect((await httpGet(`http://127.0.0.1:${port}/dies`)).status).toBe(502);
  traffic.order({ kind: "ended", endpoint: "1.1" });
  traffic.order(roster([]));
  await traffic.drained(apps[0]!.endpoint);
  expect(traffic.status().balancer.endpoints).toEqual([]);
  expect(traffic.status().answered).toEqual({ 502: 1 });
});

test("a port that cannot be had, a key function that throws: errors keep their codes and causes", async () => {
  const { traffic: first } = startPlane();
  const [port] = await portsOf(first.listen());
  const { traffic: second } = startPlane({ port: port! });
  await expect(second.listen()).rejects.toMatchObject({ code: "EADDRINUSE", listener: 0 });

  const key = () => {
    throw new TypeError("no key");
  };
  const { traffic, events } = startPlane({ affinity: { key } });
  const failed = new Promise((told) => events.on("affinity-key-failed", told));
  const { reached } = await startApp(0);
  const [at] = await portsOf(traffic.listen());
  traffic.order(roster([reached]));
  expect((await httpGet(`http://127.0.0.1:${at}/`)).status).toBe(200);
  expect(await failed).toMatchObject({ name: "LbError", code: "LB_AFFINITY_KEY", cause: { message: "no key" } });
});

test("quiescent it lets requests finish; every order has been one that survives the wire", async () => {
  const { traffic, orders } = startPlane({ affinity: "socket.io" });
  const { reached, held } = await startApp(0);
  const [port] = await portsOf(traffic.listen());
  traffic.order(roster([reached]));
  traffic.order({ kind: "sessions" });
  const client = await RawClient.ofTest(port!);
  client.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  await expect.poll(() => held).toHaveLength(1);
  const quiet = traffic.quiesce(10_000);
  const tryIt = () => RawClient.connect(port!).then((one) => one.destroy());
  await expect
    .poll(() =>
      tryIt().then(
        () => "open",
        (error) => error.code,
      ),
    )
    .toBe("ECONNREFUSED");
  held[0]!();
  const { status, headers } = await client.response();
  expect([status, headers["connection"]]).toEqual([200, "close"]);
  await quiet;
  await traffic.close();
  expect([...orders].sort()).toEqual(["close", "listen", "quiesce", "roster", "sessions"]);
});
