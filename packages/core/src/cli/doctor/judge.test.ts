import { describe, expect, test } from "vitest";
import { controlGroup } from "./control-group.ts";
import { type Finding, worst } from "./finding.ts";
import { judgeLimits } from "./judge-limits.ts";
import { judgeCertificates, judgePlaces } from "./judge-places.ts";
import type { Machine } from "./machine.ts";
import type { Wanted } from "./wanted.ts";

const giga = 2 ** 30;
const now = Date.UTC(2026, 5, 1);
const day = 86_400_000;

const good: Machine = {
  nodeVersion: "v24.2.0",
  uid: 1_000,
  descriptors: 524_288,
  somaxconn: 4_096,
  ephemeral: { first: 32_768, last: 60_999, reserved: "" },
  timeWait: 12,
  processors: 4,
  cpuQuota: undefined,
  throttled: undefined,
  memoryBytes: 8 * giga,
  memoryLimitBytes: undefined,
  oomKills: 0,
  firstFreePort: 1_024,
  mayOpenLowPorts: false,
  directories: [{ what: "logs", path: "/var/lb", problem: undefined, freeBytes: giga }],
  held: [],
  clock: { now, synchronised: true, source: "tsc" },
  lookups: [],
  addresses: ["127.0.0.1", "203.0.113.5"],
};

const wanted: Wanted = {
  name: "shop",
  instances: 4,
  maxMemoryMb: undefined,
  listeners: [{ host: "127.0.0.1", port: 3_000 }],
  maxConnections: 1_000,
  connectsByTcp: false,
  hosts: [],
  domains: [],
};

const judged = (machine: Partial<Machine>, of: Partial<Wanted> = {}) => {
  const [there, asked] = [
    { ...good, ...machine },
    { ...wanted, ...of },
  ];
  return [...judgePlaces(there, asked), ...judgeLimits(there, asked)];
};
/** What is not well, in short. */
const troubles = (findings: readonly Finding[]) =>
  findings
    .filter(({ level }) => level !== "ok")
    .map(({ check, level, what, remedy = "" }) => `${level} ${check}: ${what} | ${remedy}`);

const onPort = (port: number, host = "127.0.0.1") => ({ listeners: [{ host, port }] });
const byTcp = { connectsByTcp: true };
const certified = { domains: ["shop.example"] };
const lookup = { host: "shop.example", addresses: ["203.0.113.5"], error: undefined, tookMs: 5 };

describe("a machine", () => {
  test("that has all that is wanted is told so, thing by thing", () => {
    const findings = judged({});
    expect(troubles(findings)).toEqual([]);
    expect(worst(findings)).toBe("ok");
    expect(new Set(findings.map(({ check }) => check))).toEqual(
      new Set([
        "node",
        "ports",
        "directories",
        "clock",
        "descriptors",
        "accept-queue",
        "ephemeral-ports",
        "time-wait",
        "processors",
        "memory",
      ]),
    );
  });

  test.each<[string, Partial<Machine>, Partial<Wanted>, RegExp]>([
    ["an old Node.js", { nodeVersion: "v20.11.1" }, {}, /^error node: Node.js v20.11.1 \| .*24/],
    ["one that is a little too old", { nodeVersion: "v22.17.9" }, {}, /^error node/],
    ["an odd one", { nodeVersion: "v25.0.0" }, {}, /^hint node: .* 24 or 26/],
    ["few descriptors", { descriptors: 4_096 }, {}, /^warning descriptors: 4096 .* LimitNOFILE=65536/],
    ["next to none", { descriptors: 256 }, {}, /^error descriptors/],
    ["a short queue", { somaxconn: 128 }, {}, /^warning accept-queue: 128 .*sysctl -w net.core.somaxconn=4096/],
    [
      "few ports, where they are needed",
      { ephemeral: { first: 50_000, last: 51_000, reserved: "" } },
      byTcp,
      /^warning ephemeral-ports: 1001 ports/,
    ],
    [
      "its port among those of others",
      {},
      onPort(40_000),
      /^warning ephemeral-ports: port 40000 .*ip_local_reserved_ports=40000/,
    ],
    ["many ports that wait", { timeWait: 20_000 }, byTcp, /^warning time-wait: 20000 /],
    [
      "half a processor by the control group",
      { cpuQuota: 0.5 },
      {},
      /^warning processors: 0\.5 of 4, .* 4 instances share them \| lb start -i 1/,
    ],
    [
      "fewer processors than instances",
      {},
      { instances: 6 },
      /^hint processors: 4, and 6 instances share them \| lb start -i 4/,
    ],
    ["a group that is held back", { throttled: 0.4 }, {}, /^warning processors: held back in 40 %/],
    [
      "less memory than instances need",
      { memoryLimitBytes: 256 * 2 ** 20 },
      {},
      /^error memory: 256 MB, by the control group \(the machine has 8192 MB\)/,
    ],
    [
      "less than they may have",
      { memoryBytes: giga },
      { maxMemoryMb: 512 },
      /^warning memory: 1024 MB \| --max-memory 170M/,
    ],
    ["a limit and nobody who minds it", { memoryLimitBytes: giga }, {}, /^hint memory: .*--max-memory 170M/],
    ["processes that were killed", { oomKills: 2 }, {}, /^warning memory: the kernel has killed 2 processes/],
    ["low ports and no right to them", {}, onPort(80), /^error low-ports: may not open 80.*lb startup/],
    [
      "a port that is taken",
      {
        held: [
          { host: "127.0.0.1", port: 3_000, code: "EADDRINUSE", owner: { pid: 7, name: "nginx", ofCluster: false } },
        ],
      },
      {},
      /^error ports: 127.0.0.1:3000 is held by nginx \(pid 7\) \| end it \(kill 7\)/,
    ],
    [
      "one that somebody else has",
      { held: [{ host: "127.0.0.1", port: 3_000, code: "EADDRINUSE", owner: undefined }] },
      {},
      /^error ports: .* of another user \| sudo ss -ltnp 'sport = :3000'/,
    ],
    [
      "an address that it does not have",
      { held: [{ host: "127.0.0.1", port: 3_000, code: "EADDRNOTAVAIL", owner: undefined }] },
      {},
      /^error ports: .* no address of this machine/,
    ],
    [
      "a directory that cannot be used",
      { directories: [{ what: "logs", path: "/x", problem: "EACCES", freeBytes: 1 }] },
      {},
      /^error directories: \/x, for logs: EACCES/,
    ],
    [
      "a disk that is full",
      { directories: [{ what: "logs", path: "/x", problem: undefined, freeBytes: 2 ** 20 }] },
      {},
      /^warning directories: \/x, for logs, has 1 MB left/,
    ],
    [
      "a clock of 1970",
      { clock: { now: 5, synchronised: undefined, source: undefined } },
      {},
      /^error clock: it is 1970-/,
    ],
    [
      "a clock that nobody sets",
      { clock: { now, synchronised: false, source: "tsc" } },
      {},
      /^warning clock: nobody sets it right/,
    ],
    [
      "a slow one",
      { clock: { now, synchronised: true, source: "hpet" } },
      {},
      /^warning clock: the kernel reads it from hpet/,
    ],
    [
      "a name that is not found",
      { lookups: [{ ...lookup, addresses: [], error: "ENOTFOUND" }] },
      certified,
      /^error names: shop.example is not found \(ENOTFOUND\)/,
    ],
    [
      "one that leads elsewhere",
      { lookups: [{ ...lookup, addresses: ["198.51.100.7"] }] },
      certified,
      /^warning names: shop.example is 198.51.100.7/,
    ],
    ["a slow name server", { lookups: [{ ...lookup, tookMs: 3_000 }] }, {}, /^warning names: .* took 3 s/],
  ])("with %s", (_, machine, of, expected) => {
    const found = troubles(judged(machine, of));
    expect(found).toEqual([expect.stringMatching(expected)]);
  });

  test.each<[string, Partial<Machine>, Partial<Wanted>]>([
    ["few ports that nobody needs", { ephemeral: { first: 50_000, last: 51_000, reserved: "" }, timeWait: 900 }, {}],
    [
      "its port kept for it",
      { ephemeral: { first: 32_768, last: 60_999, reserved: "39999-40001,8080" } },
      onPort(40_000),
    ],
    ["low ports and the right to them", { mayOpenLowPorts: true }, onPort(443)],
    [
      "its own cluster at the port",
      {
        held: [
          { host: "127.0.0.1", port: 3_000, code: "EADDRINUSE", owner: { pid: 7, name: "node", ofCluster: true } },
        ],
      },
      {},
    ],
    [
      "what cannot be known here",
      {
        descriptors: undefined,
        somaxconn: undefined,
        ephemeral: undefined,
        timeWait: undefined,
        oomKills: undefined,
        clock: { now, synchronised: undefined, source: undefined },
      },
      {},
    ],
    ["a quota of more than it has", { cpuQuota: 16 }, {}],
    ["any port at all", {}, onPort(0)],
  ])("is well with %s", (_, machine, of) => {
    expect(troubles(judged(machine, of))).toEqual([]);
  });
});

test("certificates are judged by their dates, their chain, and whether they can be read", () => {
  const one = {
    where: "a.pem",
    names: ["a.example"],
    validFrom: now - day,
    expiresAt: now + 60 * day,
    problem: undefined,
  };
  const levels = (...looks: Parameters<typeof judgeCertificates>[0]) =>
    judgeCertificates(looks, now).map(({ level, what }) => `${level} ${what}`);
  expect(
    levels(
      one,
      { ...one, expiresAt: now + 3 * day },
      { ...one, expiresAt: now - day },
      { ...one, validFrom: now + day },
      { ...one, problem: "an intermediate is missing" },
      { where: "b.pem", error: 'Option "https.certificates[1]": The key is not that of the certificate' },
    ),
  ).toEqual([
    "ok a.example (a.pem), good until 2026-07-31",
    "warning a.example (a.pem) expires in 3 d",
    "error a.example (a.pem) has expired 24 h ago",
    "error a.example (a.pem) is good only in 24 h",
    "warning a.example (a.pem): an intermediate is missing",
    'error Option "https.certificates[1]": The key is not that of the certificate',
  ]);
});

describe("control groups", () => {
  const reading = (files: Record<string, string>) => controlGroup((path) => files[path]);

  test("of version 2: the least of all that a process is in", () => {
    expect(
      reading({
        "/proc/self/cgroup": "0::/system.slice/shop.service\n",
        "/sys/fs/cgroup/system.slice/shop.service/cpu.max": "max 100000\n",
        "/sys/fs/cgroup/system.slice/cpu.max": "150000 100000\n",
        "/sys/fs/cgroup/system.slice/shop.service/memory.max": "536870912\n",
        "/sys/fs/cgroup/system.slice/memory.max": "max\n",
        "/sys/fs/cgroup/system.slice/shop.service/cpu.stat": "usage_usec 5\nnr_periods 100\nnr_throttled 25\n",
        "/sys/fs/cgroup/system.slice/shop.service/memory.events": "low 0\noom 1\noom_kill 3\n",
      }),
    ).toEqual({ cpuQuota: 1.5, throttled: 0.25, memoryLimitBytes: 536_870_912, oomKills: 3 });
  });

  test("of version 1, as a container sees them: not where its path leads", () => {
    expect(
      reading({
        "/proc/self/cgroup": "9:name=systemd:/docker/4f\n4:memory:/docker/4f\n1:cpu,cpuacct:/docker/4f\n",
        "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
        "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n",
        "/sys/fs/cgroup/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
      }),
    ).toEqual({ cpuQuota: 0.5, throttled: undefined, memoryLimitBytes: giga, oomKills: 0 });
  });

  test("without limits, or none at all", () => {
    const none = { cpuQuota: undefined, throttled: undefined, memoryLimitBytes: undefined, oomKills: undefined };
    expect(reading({})).toEqual(none);
    expect(
      reading({
        "/proc/self/cgroup": "4:memory:/\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      }),
    ).toEqual(none);
  });
});
