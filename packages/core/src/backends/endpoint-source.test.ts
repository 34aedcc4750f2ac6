import type { SrvRecord } from "node:dns";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { Address } from "../model/endpoint.ts";
import { endpointsSettings } from "../options/backend-endpoint-options.ts";
import { type BackendEndpoint, EndpointSource, type SharedReach, type SourceNotice } from "./endpoint-source.ts";
import type { Names } from "./names.ts";

type Answer = readonly string[] | Error;

/** What the network says, as a test wants it: each answer is used for 10 s. */
class ToldNames implements Names {
  readonly hosts = new Map<string, Answer>();
  readonly services_ = new Map<string, readonly SrvRecord[]>();
  asked = 0;

  async addresses(host: string) {
    this.asked += 1;
    const answer = this.hosts.get(host) ?? Object.assign(new Error(`queryA ENOTFOUND ${host}`), { code: "ENOTFOUND" });
    if (answer instanceof Error) throw answer;
    return { found: answer, ttlMs: 10_000 };
  }

  async services(name: string) {
    this.asked += 1;
    return { found: this.services_.get(name) ?? [], ttlMs: 30_000 };
  }
}

interface Setup {
  readonly reach?: SharedReach;
  readonly isOwn?: (address: Address) => boolean;
}

function follow(endpoints: unknown, names = new ToldNames(), { reach = {}, isOwn }: Setup = {}) {
  const clock = new ManualClock();
  const lists: (readonly BackendEndpoint[])[] = [];
  const notices: SourceNotice[] = [];
  const source = new EndpointSource({
    endpoints: endpointsSettings(endpoints, "endpoints"),
    reach,
    names,
    lookup: { minTtlMs: 1_000, maxTtlMs: 3_600_000 },
    everyMs: 5_000,
    clock,
    random: () => 0,
    ...(isOwn !== undefined && { isOwn }),
    changed: (list) => lists.push(list),
    notice: (notice) => notices.push(notice),
  });
  onTestFinished(() => source.close());
  /** Lets time pass until all names have been asked for anew. */
  const pass = async (ms: number) => {
    const { asked } = names;
    clock.advance(ms);
    await eventually(() => names.asked > asked && clock.pending > 0, { what: "names are asked for" });
    await new Promise(setImmediate);
  };
  const ids = () => source.endpoints.map(({ id }) => id);
  return { clock, lists, notices, source, names, pass, ids };
}

test("a list of addresses is there at once, each with the way to it", () => {
  const ca = ["PEM"];
  const { lists, source } = follow(
    ["http://10.0.0.1:3000", { url: "https://10.0.0.2", weight: 3, zone: "b" }],
    undefined,
    {
      reach: { tls: { ca }, pool: { maxIdle: 1 }, proxyProtocol: 2 },
    },
  );
  expect(lists).toEqual([source.endpoints]);
  expect(source.endpoints.map(({ id, slot, weight, zone }) => ({ id, slot, weight, zone }))).toEqual([
    { id: "http://10.0.0.1:3000", slot: 0, weight: 1, zone: undefined },
    { id: "https://10.0.0.2", slot: 1, weight: 3, zone: "b" },
  ]);
  expect(source.endpoints.map(({ reach }) => reach)).toEqual([
    { address: { kind: "tcp", host: "10.0.0.1", port: 3000 }, pool: { maxIdle: 1 }, proxyProtocol: 2 },
    {
      address: { kind: "tcp", host: "10.0.0.2", port: 443 },
      pool: { maxIdle: 1 },
      proxyProtocol: 2,
      tls: { servername: "10.0.0.2", verify: true, ca },
    },
  ]);
});

test("a name is an endpoint for each of its addresses, and those that stay are the same objects in the same slots", async () => {
  const names = new ToldNames();
  names.hosts.set("api.internal", ["10.0.0.2", "10.0.0.1"]);
  const { source, lists, pass, ids } = follow(["https://api.internal:3000"], names);
  await source.settled;
  expect(ids()).toEqual(["https://api.internal:3000 at 10.0.0.1", "https://api.internal:3000 at 10.0.0.2"]);
  const [one, two] = source.endpoints;
  expect(one?.reach).toEqual({
    address: { kind: "tcp", host: "10.0.0.1", port: 3000 },
    tls: { servername: "api.internal", verify: true },
  });
  names.hosts.set("api.internal", ["10.0.0.2", "10.0.0.1"]);
  await pass(10_000);
  expect(lists).toHaveLength(1);
  names.hosts.set("api.internal", ["10.0.0.3", "10.0.0.2"]);
  await pass(10_000);
  expect(lists).toHaveLength(2);
  expect(source.endpoints[0]).toBe(two);
  expect(source.endpoints[1]).toMatchObject({ slot: 0, incarnation: 2, address: { host: "10.0.0.3" } });
});

test("BAD-INPUTS 190: where a name has no answer, or none any more, the last list stays, and it is told now and then", async () => {
  const names = new ToldNames();
  const { source, notices, pass, ids, lists } = follow(["http://api.internal", "http://10.0.0.9"], names);
  await source.settled;
  expect(ids()).toEqual(["http://10.0.0.9"]);
  expect(notices).toMatchObject([{ kind: "lookup-failed", what: "http://api.internal", error: { code: "ENOTFOUND" } }]);
  names.hosts.set("api.internal", ["10.0.0.1"]);
  await pass(1_000);
  expect(ids()).toEqual(["http://api.internal:80 at 10.0.0.1", "http://10.0.0.9"]);
  for (const failure of [new Error("queryA ESERVFAIL"), new Error("queryA ETIMEOUT")]) {
    names.hosts.set("api.internal", failure);
    await pass(10_000);
  }
  names.hosts.delete("api.internal");
  // It is asked after 1, 2, 4 … seconds, and no more often than every 30.
  for (let n = 0; n < 20; n++) await pass(30_000);
  expect(ids()).toHaveLength(2);
  expect(lists).toHaveLength(2);
  expect(notices.map(({ kind }) => kind)).toEqual([
    "lookup-failed",
    "lookup-recovered",
    "lookup-failed",
    // After ten minutes.
    "lookup-failed",
  ]);
});

test("BAD-INPUTS 190: of a thousand addresses the same 256 are used, whatever their order", async () => {
  const names = new ToldNames();
  const many = Array.from({ length: 1_000 }, (_, n) => `10.0.${n >> 8}.${n & 255}`);
  names.hosts.set("api.internal", many);
  const { source, notices, pass, lists } = follow(["http://api.internal"], names);
  await source.settled;
  expect(source.endpoints).toHaveLength(256);
  expect(notices).toEqual([{ kind: "too-many-endpoints", found: 1_000, used: 256 }]);
  names.hosts.set("api.internal", [...many].reverse());
  await pass(10_000);
  expect(lists).toHaveLength(1);
  expect(Math.max(...source.endpoints.map(({ slot }) => slot))).toBe(255);
});

test("BAD-INPUTS 190: addresses that come and go reuse slots", async () => {
  const names = new ToldNames();
  const { source, pass } = follow(["http://api.internal"], names);
  await source.settled;
  for (let n = 0; n < 50; n++) {
    names.hosts.set("api.internal", [`10.0.0.${n % 3}`, `10.0.1.${n}`]);
    await pass(10_000);
    expect(source.endpoints.map(({ slot }) => slot).sort()).toEqual([0, 1]);
  }
  expect(source.endpoints.at(-1)!.incarnation).toBeGreaterThan(1);
});

test("of a service, the hosts of the best priority that can be found count, with their weights", async () => {
  const names = new ToldNames();
  names.services_.set("_api._tcp.a", [
    { name: "x.a", port: 1, priority: 1, weight: 10 },
    { name: "y.a", port: 2, priority: 1, weight: 30 },
    { name: "z.a", port: 3, priority: 2, weight: 1 },
  ]);
  names.hosts.set("y.a", ["10.0.0.2"]).set("z.a", ["10.0.0.3"]);
  const { source, pass, ids } = follow([{ url: "srv+http://_api._tcp.a", weight: 2 }], names);
  await source.settled;
  expect(source.endpoints.map(({ url, weight }) => [url, weight])).toEqual([["http://y.a:2", 60]]);
  names.hosts.delete("y.a");
  await pass(10_000);
  expect(ids()).toEqual(["http://z.a:3 at 10.0.0.3"]);
  names.services_.set("_api._tcp.a", []);
  await pass(10_000);
  expect(ids()).toEqual(["http://z.a:3 at 10.0.0.3"]);
});

test("a function tells the list; names in it are followed, those that leave it are not any more", async () => {
  const names = new ToldNames();
  names.hosts.set("a", ["10.0.0.1"]).set("b", ["10.0.0.2"]);
  let told = ["http://a", "http://b"];
  const { source, ids, clock } = follow(() => told, names);
  await source.settled;
  expect(ids()).toEqual(["http://a:80 at 10.0.0.1", "http://b:80 at 10.0.0.2"]);
  told = ["http://b"];
  clock.advance(5_000);
  await eventually(() => ids().length === 1, { what: "the shorter list" });
  expect(ids()).toEqual(["http://b:80 at 10.0.0.2"]);
  // The next call, and the next lookup of b.
  expect(clock.pending).toBe(2);
  told = [];
  clock.advance(5_000);
  await eventually(() => clock.pending === 1, { what: "the empty list" });
  expect(ids()).toEqual(["http://b:80 at 10.0.0.2"]);
});

test("BAD-INPUTS 194: our own listeners are no endpoints", async () => {
  const names = new ToldNames();
  names.hosts.set("api.internal", ["10.0.0.1", "10.0.0.7"]);
  const isOwn = (address: Address) => address.kind === "tcp" && address.host === "10.0.0.7";
  const { source, notices, ids } = follow(["http://api.internal"], names, { isOwn });
  await source.settled;
  expect(ids()).toEqual(["http://api.internal:80 at 10.0.0.1"]);
  expect(notices).toEqual([
    { kind: "own-listener", url: "http://api.internal:80", address: { kind: "tcp", host: "10.0.0.7", port: 80 } },
  ]);
});

test("nothing goes on after the end", async () => {
  const names = new ToldNames();
  const { source, clock } = follow(["http://api.internal"], names);
  source.close();
  await source.settled;
  await new Promise(setImmediate);
  expect(clock.pending).toBe(0);
});
