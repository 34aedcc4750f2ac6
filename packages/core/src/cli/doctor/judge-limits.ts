import { span } from "../../log/words.ts";
import type { Finding } from "./finding.ts";
import type { Machine } from "./machine.ts";
import type { Wanted } from "./wanted.ts";

const mega = 1_048_576;
/** A server that is reached from the Internet has that many connections at times, of browsers that keep theirs. */
const fewDescriptors = 8_192;
/** What `listen` of Node.js asks for. */
const backlog = 511;
const fewPorts = 10_000;
/** An instance of Node.js with next to nothing in it. */
const leastInstanceMb = 80;

/** By what it is kept small: descriptors, queues, ports, processors, memory. */
export function judgeLimits(machine: Machine, wanted: Wanted): readonly Finding[] {
  return [
    ...descriptors(machine, wanted),
    ...acceptQueue(machine),
    ...ephemeralPorts(machine, wanted),
    ...timeWait(machine, wanted),
    ...processors(machine, wanted),
    ...memory(machine, wanted),
  ];
}

function descriptors({ descriptors: limit }: Machine, { maxConnections }: Wanted): readonly Finding[] {
  const check = "descriptors";
  if (limit === undefined) return [];
  const what = limit === Number.POSITIVE_INFINITY ? "no limit of open files" : `${limit} open files at most`;
  if (limit >= fewDescriptors) return [{ check, level: "ok", what }];
  return [
    {
      check,
      level: limit < 1_024 ? "error" : "warning",
      what,
      meaning: `Each connection is one, so that ${maxConnections} connections are taken and more are refused.`,
      remedy:
        "ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit (lb startup writes it), or --ulimit nofile=65536 of docker run",
    },
  ];
}

function acceptQueue({ somaxconn }: Machine): readonly Finding[] {
  const check = "accept-queue";
  if (somaxconn === undefined) return [];
  const what = `${somaxconn} connections may wait to be accepted`;
  if (somaxconn >= backlog) return [{ check, level: "ok", what }];
  return [
    {
      check,
      level: "warning",
      what,
      meaning: "In a burst of new connections those beyond it are lost, and their clients wait a second to try again.",
      remedy: "sysctl -w net.core.somaxconn=4096, and the same in /etc/sysctl.d/",
    },
  ];
}

function ephemeralPorts({ ephemeral }: Machine, { connectsByTcp, listeners }: Wanted): readonly Finding[] {
  if (ephemeral === undefined) return [];
  const { first, last, reserved } = ephemeral;
  const check = "ephemeral-ports";
  const what = `${last - first + 1} ports for outgoing connections (${first}–${last})`;
  const few = last - first + 1 < fewPorts && connectsByTcp;
  const inside = listeners.filter(({ port }) => port >= first && port <= last && !isReserved(port, reserved));
  return [
    few
      ? {
          check,
          level: "warning",
          what,
          meaning: "There can be so many connections to one endpoint, those that have just ended among them.",
          remedy: "sysctl -w net.ipv4.ip_local_port_range='10240 65535'",
        }
      : { check, level: "ok", what },
    ...inside.map(
      ({ port }): Finding => ({
        check,
        level: "warning",
        what: `port ${port} is one of those that outgoing connections are given`,
        meaning: "Some other program's connection may have it just when the cluster starts.",
        remedy: `sysctl -w net.ipv4.ip_local_reserved_ports=${port}, or a port below ${first}`,
      }),
    ),
  ];
}

function isReserved(port: number, reserved: string): boolean {
  return reserved.split(",").some((range) => {
    const [from = "", to = from] = range.trim().split("-");
    return from !== "" && port >= Number(from) && port <= Number(to);
  });
}

function timeWait({ timeWait: count, ephemeral }: Machine, { connectsByTcp }: Wanted): readonly Finding[] {
  if (count === undefined || ephemeral === undefined) return [];
  const check = "time-wait";
  const what = `${count} connections have ended and hold their port for a minute`;
  const many = count > (ephemeral.last - ephemeral.first + 1) / 2;
  if (!many || !connectsByTcp) return [{ check, level: "ok", what }];
  return [
    {
      check,
      level: "warning",
      what,
      meaning: "More than half of the ports for outgoing connections: something here does not keep its connections.",
      remedy: "find it with: ss -tan state time-wait | awk '{print $4}' | sort | uniq -c | sort -rn | head",
    },
  ];
}

function processors(
  { processors: count, cpuQuota, throttled = 0 }: Machine,
  { instances }: Wanted,
): readonly Finding[] {
  const check = "processors";
  const usable = Math.min(count, cpuQuota ?? count);
  const what =
    cpuQuota === undefined || cpuQuota >= count ? `${count}` : `${shown(cpuQuota)} of ${count}, by the control group`;
  const throttling: readonly Finding[] =
    throttled < 0.05
      ? []
      : [
          {
            check,
            level: "warning",
            what: `held back in ${Math.round(throttled * 100)} % of the control group's periods`,
            meaning: "Requests wait for the next period, up to a tenth of a second: it shows in p99.",
            remedy: "raise the quota (docker run --cpus, resources.limits.cpu, CPUQuota=), or have fewer instances",
          },
        ];
  const most = Math.max(1, Math.ceil(usable));
  if (instances <= most) return [{ check, level: "ok", what: `${what}, for ${instances} instances` }, ...throttling];
  return [
    {
      check,
      level: cpuQuota !== undefined && instances > 2 * most ? "warning" : "hint",
      what: `${what}, and ${instances} instances share them`,
      meaning: "More instances than processors answer no more requests, and need more memory.",
      remedy: `lb start -i ${most}, or WEB_CONCURRENCY=${most}`,
    },
    ...throttling,
  ];
}

function memory(machine: Machine, { instances, maxMemoryMb }: Wanted): readonly Finding[] {
  const check = "memory";
  const limit = Math.min(machine.memoryLimitBytes ?? Number.POSITIVE_INFINITY, machine.memoryBytes);
  const limitMb = Math.floor(limit / mega);
  const limited = limit < machine.memoryBytes;
  const what = `${limitMb} MB${limited ? `, by the control group (the machine has ${Math.round(machine.memoryBytes / mega)} MB)` : ""}`;
  const findings: Finding[] = [];
  // The primary is a process of Node.js too, and during a reload there is one instance more.
  const share = Math.floor(limitMb / (instances + 2));
  const needed = (instances + 2) * (maxMemoryMb ?? leastInstanceMb);
  if (needed > limitMb) {
    const each =
      maxMemoryMb === undefined ? `${leastInstanceMb} MB, the least that an instance needs` : `${maxMemoryMb} MB each`;
    findings.push({
      check,
      level: maxMemoryMb === undefined ? "error" : "warning",
      what,
      meaning: `${instances} instances, the primary and one more in a reload come to ${needed} MB at ${each}: the kernel kills what is too much.`,
      remedy:
        maxMemoryMb === undefined
          ? "fewer instances (-i), or more memory"
          : `--max-memory ${share}M, fewer instances (-i), or more memory`,
    });
  } else if (limited && maxMemoryMb === undefined) {
    findings.push({
      check,
      level: "hint",
      what,
      meaning: "An instance that leaks takes the others with it when the kernel kills for want of memory.",
      remedy: `--max-memory ${share}M replaces it before`,
    });
  } else findings.push({ check, level: "ok", what });
  const { oomKills = 0 } = machine;
  if (oomKills > 0)
    findings.push({
      check,
      level: "warning",
      what: `the kernel has killed ${oomKills} ${oomKills === 1 ? "process" : "processes"} of this control group for want of memory`,
      meaning: "An instance that is killed loses what it was answering.",
      remedy: `--max-memory ${share}M, or more memory`,
    });
  return findings;
}

function shown(processors: number): string {
  return String(Number(processors.toFixed(2)));
}

/** How long until a moment, or since. */
export function distance(ms: number): string {
  return ms < 0 ? `${span(-ms)} ago` : `in ${span(ms)}`;
}
