import { spawnSync } from "node:child_process";
import { lookup } from "node:dns/promises";
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, networkInterfaces, tmpdir, totalmem } from "node:os";
import { dirname } from "node:path";
import { checkControlDirectory, controlDirectory } from "../../control/control-directory.ts";
import { systemClock, systemWallClock } from "../../model/clock.ts";
import { stateDirectory } from "../daemon/state-directory.ts";
import { controlGroup } from "./control-group.ts";
import type { HeldPort, Lookup, Machine, MachineClock, MachineDirectory } from "./machine.ts";
import { holderOf } from "./port-holder.ts";
import { numberAt, textAt } from "./proc.ts";
import type { Wanted, WantedListener } from "./wanted.ts";

/** A name server that does not answer is given up after that. */
const lookupMs = 5_000;
const capNetBindService = 10;

/** Looks at the machine: files of the kernel, directories, ports and names. Changes nothing. */
export async function readMachine(wanted: Wanted, clusterPids: readonly number[]): Promise<Machine> {
  const uid = process.getuid?.();
  return {
    nodeVersion: process.version,
    uid,
    descriptors: openFiles(),
    somaxconn: numberAt("/proc/sys/net/core/somaxconn"),
    ephemeral: ephemeralPorts(),
    timeWait: matched(textAt("/proc/net/sockstat"), /^TCP:.* tw (\d+)/m),
    processors: availableParallelism(),
    ...controlGroup(),
    memoryBytes: totalmem(),
    firstFreePort: numberAt("/proc/sys/net/ipv4/ip_unprivileged_port_start") ?? 1_024,
    mayOpenLowPorts: process.platform !== "linux" ? uid === 0 : hasCapability(capNetBindService),
    directories: directories(),
    held: (await Promise.all(wanted.listeners.map((listener) => heldPort(listener, clusterPids)))).flat(),
    clock: clock(),
    lookups: await Promise.all(
      [...wanted.hosts, ...wanted.domains].filter((host) => !host.startsWith("*.")).map(looked),
    ),
    addresses: Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []),
  };
}

function openFiles(): number | undefined {
  const [, text] = /^Max open files\s+\S+\s+(\S+)/m.exec(textAt("/proc/self/limits") ?? "") ?? [];
  if (text === undefined) return undefined;
  return text === "unlimited" ? Number.POSITIVE_INFINITY : Number(text);
}

function ephemeralPorts(): Machine["ephemeral"] {
  const [first, last] = (textAt("/proc/sys/net/ipv4/ip_local_port_range") ?? "").trim().split(/\s+/).map(Number);
  if (first === undefined || last === undefined) return undefined;
  return { first, last, reserved: textAt("/proc/sys/net/ipv4/ip_local_reserved_ports")?.trim() ?? "" };
}

function hasCapability(bit: number): boolean {
  const [, bits = "0"] = /^CapEff:\s*([\da-f]+)/m.exec(textAt("/proc/self/status") ?? "") ?? [];
  return ((BigInt(`0x${bits}`) >> BigInt(bit)) & 1n) === 1n;
}

function matched(text: string | undefined, shape: RegExp): number | undefined {
  const [, digits] = shape.exec(text ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function directories(): readonly MachineDirectory[] {
  const control = controlDirectory();
  const looks: readonly (readonly [string, string, (path: string) => void])[] = [
    ["sockets between its processes", tmpdir(), writable],
    ["control sockets", control, (path) => (existsSync(path) ? checkControlDirectory(path) : writable(dirname(path)))],
    ["logs in the background", stateDirectory(), (path) => writable(firstThere(path))],
  ];
  return looks.map(([what, path, check]) => {
    let problem: string | undefined;
    try {
      check(path);
    } catch (error) {
      problem = (error as Error).message;
    }
    return { what, path, problem, freeBytes: freeBytes(path) };
  });
}

function writable(path: string): void {
  accessSync(path, constants.W_OK | constants.X_OK);
}

/** What is not there is made, in the first of its parents that is. */
function firstThere(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : firstThere(dirname(path));
}

function freeBytes(path: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(firstThere(path));
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** By opening it, which is the only way to know. */
function heldPort({ host, port }: WantedListener, clusterPids: readonly number[]): Promise<readonly HeldPort[]> {
  if (port === 0) return Promise.resolve([]);
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code = "" }: NodeJS.ErrnoException) => {
      const holder = code === "EADDRINUSE" ? holderOf(port) : undefined;
      const owner = holder && { ...holder, ofCluster: clusterPids.includes(holder.pid) };
      resolve([{ host, port, code, owner }]);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve([])));
  });
}

function clock(): MachineClock {
  const source = textAt("/sys/devices/system/clocksource/clocksource0/current_clocksource")?.trim();
  return { now: systemWallClock(), synchronised: isSynchronised(), source };
}

function isSynchronised(): boolean | undefined {
  if (existsSync("/run/systemd/timesync/synchronized")) return true;
  const { status, stdout } = spawnSync("timedatectl", ["show", "--property=NTPSynchronized", "--value"], {
    encoding: "utf8",
    timeout: 2_000,
  });
  return status === 0 ? stdout.trim() === "yes" : undefined;
}

async function looked(host: string): Promise<Lookup> {
  const began = systemClock.now();
  let timer: { cancel(): void } | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = systemClock.after(lookupMs, () => reject(new Error(`no answer in ${lookupMs / 1_000} s`)), {
      keepAlive: true,
    });
  });
  try {
    const found = await Promise.race([lookup(host, { all: true }), tooLate]);
    const addresses = found.map(({ address }) => address);
    return { host, addresses, error: undefined, tookMs: systemClock.now() - began };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { host, addresses: [], error: code ?? message, tookMs: systemClock.now() - began };
  } finally {
    timer?.cancel();
  }
}
