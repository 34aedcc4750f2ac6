import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { EndpointSource, type SourceNotice } from "../src/backends/endpoint-source.ts";
import { SystemNames } from "../src/backends/names.ts";
import { endpointsSettings } from "../src/options/backend-endpoint-options.ts";
import { dnsServer } from "./support/dns-server.ts";
import { eventually } from "./support/eventually.ts";
import { ManualClock } from "./support/manual-clock.ts";

test("names are asked for with their TTL: addresses of IPv4, or of IPv6 where there are no others, and services", async () => {
  const dns = await dnsServer(["_api._tcp.lb.test,one.lb.test,8001,10,60", "_api._tcp.lb.test,two.lb.test,8002,20,40"]);
  await dns.answer({ "api.lb.test": ["10.0.0.1", "10.0.0.2", "fd00::1"], "six.lb.test": ["fd00::6"] });
  const names = new SystemNames({ servers: [dns.server] });
  const { found, ttlMs } = await names.addresses("api.lb.test");
  expect([...found].sort()).toEqual(["10.0.0.1", "10.0.0.2"]);
  expect(ttlMs).toBe(7_000);
  expect(await names.addresses("six.lb.test")).toEqual({ found: ["fd00::6"], ttlMs: 7_000 });
  await expect(names.addresses("nobody.lb.test")).rejects.toMatchObject({ code: "ENOTFOUND" });
  await expect(names.services("_nothing._tcp.lb.test")).rejects.toMatchObject({ code: "ENOTFOUND" });
  expect((await names.services("_api._tcp.lb.test")).found).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ name: "one.lb.test", port: 8001, priority: 10, weight: 60 }),
      expect.objectContaining({ name: "two.lb.test", port: 8002, priority: 20, weight: 40 }),
    ]),
  );
});

test("BAD-INPUTS 190: an answer that does not fit into a packet is asked for whole", async () => {
  const dns = await dnsServer();
  const many = Array.from({ length: 300 }, (_, n) => `10.0.${n >> 8}.${n & 255}`);
  await dns.answer({ "many.lb.test": many });
  const { found } = await new SystemNames({ servers: [dns.server] }).addresses("many.lb.test");
  expect(new Set(found)).toEqual(new Set(many));
});

test("what /etc/hosts says comes first, and what no server knows is looked up as the system does", async () => {
  const directory = await mkdtemp(join(tmpdir(), "lb-hosts-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const hostsFile = join(directory, "hosts");
  writeFileSync(
    hostsFile,
    "# api.lb.test 10.9.9.9\n10.0.0.5\tAPI.lb.test other\nfd00::5 api.lb.test # 6\n10.0.0.6 api.lb.test\n",
  );
  const names = new SystemNames({ hostsFile });
  expect(await names.addresses("api.lb.test")).toEqual({ found: ["10.0.0.5", "10.0.0.6"], ttlMs: 30_000 });
  const local = await new SystemNames({ hostsFile: join(directory, "none") }).addresses("localhost");
  expect(local.found).toEqual(["127.0.0.1"]);
});

test("BAD-INPUTS 190: endpoints follow a server that changes its mind, and outlast one that is gone", async () => {
  const dns = await dnsServer(["_api._tcp.lb.test,one.lb.test,8001,10,60"]);
  await dns.answer({ "api.lb.test": ["10.0.0.1", "10.0.0.2"], "one.lb.test": ["10.0.1.1"] });
  const clock = new ManualClock();
  const notices: SourceNotice[] = [];
  const source = new EndpointSource({
    endpoints: endpointsSettings(["http://api.lb.test:3000", "srv+http://_api._tcp.lb.test"], "endpoints"),
    reach: {},
    names: new SystemNames({ servers: [dns.server] }),
    lookup: { minTtlMs: 1_000, maxTtlMs: 3_600_000 },
    everyMs: 10_000,
    clock,
    random: () => 0,
    changed: () => {},
    notice: (notice) => notices.push(notice),
  });
  onTestFinished(() => source.close());
  const hosts = () => source.endpoints.map(({ address }) => (address.kind === "tcp" ? address.host : ""));
  const pass = async (ms: number) => {
    clock.advance(ms);
    await eventually(() => clock.pending === 2, { what: "both are answered" });
  };
  await source.settled;
  expect(hosts()).toEqual(["10.0.0.1", "10.0.0.2", "10.0.1.1"]);
  const [, stays] = source.endpoints;

  for (const [first, last] of [
    ["10.0.0.3", "10.0.1.2"],
    ["10.0.0.1", "10.0.1.1"],
    ["10.0.0.4", "10.0.1.3"],
  ] as const) {
    await dns.answer({ "api.lb.test": [first, "10.0.0.2"], "one.lb.test": [last] });
    await pass(7_000);
    expect(hosts().sort()).toEqual([first, "10.0.0.2", last].sort());
    expect(source.endpoints).toContain(stays);
  }

  const known = source.endpoints;
  await dns.answer({});
  await pass(7_000);
  expect(notices.map((notice) => [notice.kind, (notice as { what: string }).what])).toEqual([
    ["lookup-failed", "http://api.lb.test:3000"],
    ["lookup-failed", "srv+http://_api._tcp.lb.test"],
  ]);
  await dns.stop();
  await pass(1_000);
  expect(source.endpoints).toBe(known);
  await dns.start();
  await dns.answer({ "api.lb.test": ["10.0.0.2"], "one.lb.test": ["10.0.1.9"] });
  await pass(30_000);
  expect(hosts()).toEqual(["10.0.0.2", "10.0.1.9"]);
  expect(source.endpoints[0]).toBe(stays);
  expect(notices.slice(2).map(({ kind }) => kind)).toEqual(["lookup-recovered", "lookup-recovered"]);
});
