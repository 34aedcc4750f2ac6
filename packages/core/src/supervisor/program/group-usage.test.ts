import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { groupMembers, parseStat } from "../group-members.ts";
import { procUsage, psUsage, usageIn } from "./group-usage.ts";
import { GroupVitals } from "./group-vitals.ts";
import { isOpenToAll, listeningPlaces, shownPlace } from "./listening-places.ts";

const hasProc = existsSync("/proc/self/stat");

/** A shell that leads a group, in which a child of it is busy, and holds some megabytes. */
async function busyGroup(): Promise<number> {
  const busy = "const held = Buffer.alloc(60e6, 1); console.log(held.length); for (;;);";
  const script = `"$0" -e '${busy}' & wait`;
  const shell = spawn("/bin/sh", ["-c", script, process.execPath], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void process.kill(-shell.pid!, "SIGKILL"));
  await once(shell.stdout!, "data");
  return shell.pid!;
}

it("reads what a process says of itself, whatever it is called", () => {
  const fields = "S 1 4242 4242 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 1 0 100 1000000 512 18446744073709551615";
  expect(parseStat(`7 (a) 1 (b)) ${fields}`)).toEqual({ group: 4242, cpuTicks: 100, rssPages: 512 });
  expect(parseStat("7 (a) Z")).toBeUndefined();
  expect(parseStat("")).toBeUndefined();
});

it("reads what ps says, of Linux and of macOS, a group's processes together", () => {
  const table = "   42  1024 00:00:01\n   42   512 1-01:00:00\n  7 100 0:00.25\n  8 1 0:01\ngarbage\n";
  expect([...usageIn(table, new Set([42, 7]))]).toEqual([
    [42, { cpuMs: 90_001_000, rssBytes: 1_572_864 }],
    [7, { cpuMs: 250, rssBytes: 102_400 }],
  ]);
});

it.runIf(hasProc)("sees what all processes of a group use, by /proc and by ps", async () => {
  const leader = await busyGroup();
  const leaders = new Set([leader, 999_999_999]);
  expect((await groupMembers(leaders)).get(leader)).toHaveLength(2);
  const read = procUsage();
  const busy = await eventually(
    async () => {
      const found = await read(leaders);
      return (found.get(leader)?.cpuMs ?? 0) >= 200 && found;
    },
    { what: "some of its processor time" },
  );
  // On Linux ps has whole seconds alone.
  for (const usage of [busy, await psUsage()(leaders)]) {
    expect([...usage.keys()]).toEqual([leader]);
    expect(usage.get(leader)!.rssBytes).toBeGreaterThan(60e6);
    expect(usage.get(leader)!.rssBytes).toBeLessThan(400e6);
  }
});

it("tells processors by the time between two looks, and what ended takes its time with it", async () => {
  const clock = new ManualClock();
  const looks = [100, 600, 400, 500].map((cpuMs) => ({ cpuMs, rssBytes: 1_000 }));
  const vitals = new GroupVitals({
    intervalMs: 1_000,
    clock,
    read: async (leaders) => new Map([...leaders].map((leader) => [leader, looks.shift()!])),
  });
  const told: number[] = [];
  const unwatch = vitals.watch(1, ({ cpu }) => void told.push(cpu));
  for (let look = 0; look < 4; look += 1) {
    clock.advance(1_000);
    await new Promise(setImmediate);
  }
  expect(told).toEqual([0.5, 0, 0.1]);
  unwatch();
  clock.advance(1_000);
  await new Promise(setImmediate);
  expect(clock.pending).toBe(0);
});

it.runIf(hasProc)("finds where the processes of a group listen", async () => {
  const script =
    'const n = require("node:net"); const s = ["127.0.0.1", "::1", "::", "0.0.0.0"].map((host) => n.createServer().listen({ host, port: 0, ipv6Only: true }));' +
    "setTimeout(() => console.log(JSON.stringify(s.map((one) => one.address()))), 100)";
  const child = spawn(process.execPath, ["-e", script], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  const [output] = await once(child.stdout!, "data");
  const expected = (JSON.parse(String(output)) as { address: string; port: number }[]).map(
    ({ address: host, port }) => ({
      host,
      port,
    }),
  );
  const found = (await listeningPlaces(child.pid!))!;
  expect(found.map(shownPlace).sort()).toEqual(expected.map(shownPlace).sort());
  expect(found.filter(isOpenToAll)).toHaveLength(2);
  expect(shownPlace({ host: "::1", port: 80 })).toBe("[::1]:80");
  expect(await listeningPlaces(999_999_999)).toBeUndefined();
});
