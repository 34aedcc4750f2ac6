import { span } from "../../log/words.ts";
import type { Finding } from "./finding.ts";
import { distance } from "./judge-limits.ts";
import type { HeldPort, Lookup, Machine } from "./machine.ts";
import type { Wanted } from "./wanted.ts";

/** Node.js that has what this library needs, and is not an odd version. */
const leastNode = { major: 22, minor: 18 };
/** When this was written: a clock that says less is wrong. */
const knownPast = Date.UTC(2025, 0, 1);
const slowLookupMs = 1_000;
const littleBytes = 200 * 1_048_576;
const soonMs = 14 * 86_400_000;

/** Where it is to run: Node.js, directories, ports, the clock, names. */
export function judgePlaces(machine: Machine, wanted: Wanted): readonly Finding[] {
  return [
    ...node(machine),
    ...lowPorts(machine, wanted),
    ...ports(machine, wanted),
    ...directories(machine),
    ...clock(machine),
    ...machine.lookups.map((lookup) => name(lookup, machine, wanted)),
  ];
}

function node({ nodeVersion }: Machine): readonly Finding[] {
  const check = "node";
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, "").split(".").map(Number);
  const what = `Node.js ${nodeVersion}`;
  if (major < leastNode.major || (major === leastNode.major && minor < leastNode.minor)) {
    const remedy = "install Node.js 24, e.g. nvm install 24";
    return [
      { check, level: "error", what, meaning: `lb needs ${leastNode.major}.${leastNode.minor} at least.`, remedy },
    ];
  }
  if (major % 2 === 0) return [{ check, level: "ok", what }];
  const meaning = "Odd versions get no fixes after half a year.";
  return [{ check, level: "hint", what, meaning, remedy: `use Node.js ${major - 1} or ${major + 1}` }];
}

function lowPorts({ mayOpenLowPorts, firstFreePort, uid }: Machine, { listeners }: Wanted): readonly Finding[] {
  const low = listeners.filter(({ port }) => port > 0 && port < firstFreePort);
  if (low.length === 0) return [];
  const check = "low-ports";
  const which = low.map(({ port }) => port).join(" and ");
  if (mayOpenLowPorts) return [{ check, level: "ok", what: `may open ${which}${uid === 0 ? ", as root" : ""}` }];
  return [
    {
      check,
      level: "error",
      what: `may not open ${which}: ports below ${firstFreePort} are the administrator's`,
      meaning: "The start fails.",
      remedy: `lb startup (its unit has the right), sysctl -w net.ipv4.ip_unprivileged_port_start=80, or setcap cap_net_bind_service=+ep "$(readlink -f "$(which node)")"`,
    },
  ];
}

function ports({ held, firstFreePort }: Machine, { name: cluster, listeners }: Wanted): readonly Finding[] {
  return listeners
    .filter(({ port }) => port !== 0)
    .flatMap(({ host, port }): readonly Finding[] => {
      const found = held.find((one) => one.host === host && one.port === port);
      if (found === undefined) return [{ check: "ports", level: "ok", what: `${host}:${port} is free` }];
      if (found.code === "EACCES" && port < firstFreePort) return [];
      return [heldPort(found, cluster)];
    });
}

function heldPort({ host, port, code, owner }: HeldPort, cluster: string): Finding {
  const check = "ports";
  const place = `${host}:${port}`;
  if (code === "EADDRNOTAVAIL") {
    const remedy = "--host 0.0.0.0 is all addresses; ip address shows those that there are";
    return {
      check,
      level: "error",
      what: `${place} is no address of this machine`,
      meaning: "The start fails.",
      remedy,
    };
  }
  if (code !== "EADDRINUSE")
    return { check, level: "error", what: `${place} cannot be opened (${code})`, meaning: "The start fails." };
  if (owner?.ofCluster === true)
    return { check, level: "ok", what: `${place} is held by the running cluster ${cluster} (pid ${owner.pid})` };
  const who = owner === undefined ? "a process of another user" : `${owner.name} (pid ${owner.pid})`;
  const remedy =
    owner === undefined
      ? `sudo ss -ltnp 'sport = :${port}'`
      : `end it (kill ${owner.pid}), or choose another port (-p)`;
  return { check, level: "error", what: `${place} is held by ${who}`, meaning: "The start fails.", remedy };
}

function directories({ directories: all }: Machine): readonly Finding[] {
  return all.map(({ what: purpose, path, problem, freeBytes }): Finding => {
    const check = "directories";
    if (problem !== undefined) {
      const remedy =
        "let this user write there, or name another by the variable that says where it is: TMPDIR, XDG_STATE_HOME, LB_CONTROL_DIR";
      return { check, level: "error", what: `${path}, for ${purpose}: ${problem}`, remedy };
    }
    if (freeBytes === undefined || freeBytes >= littleBytes)
      return { check, level: "ok", what: `${path}, for ${purpose}` };
    const meaning = "Where the disk is full, log lines are lost; requests go on.";
    const what = `${path}, for ${purpose}, has ${Math.round(freeBytes / 1_048_576)} MB left`;
    return { check, level: "warning", what, meaning, remedy: `du -xh ${path} | sort -h | tail` };
  });
}

function clock({ clock: { now, synchronised, source } }: Machine): readonly Finding[] {
  const check = "clock";
  const findings: Finding[] = [];
  if (now < knownPast) {
    const meaning = "Certificates seem not to be valid yet, and log lines have wrong times.";
    findings.push({
      check,
      level: "error",
      what: `it is ${new Date(now).toISOString()} here`,
      meaning,
      remedy: "timedatectl set-ntp true",
    });
  } else if (synchronised === false) {
    const meaning = "A clock that goes wrong shows in certificates, cookies that expire, and logs of several machines.";
    findings.push({
      check,
      level: "warning",
      what: "nobody sets it right",
      meaning,
      remedy: "timedatectl set-ntp true, or install chrony",
    });
  } else
    findings.push({
      check,
      level: "ok",
      what: `${new Date(now).toISOString()}${synchronised === true ? ", synchronised" : ""}`,
    });
  if (source === "hpet" || source === "acpi_pm") {
    const meaning =
      "Reading the time is a hundred times dearer than by tsc or kvm-clock, and each request does it several times.";
    findings.push({
      check,
      level: "warning",
      what: `the kernel reads it from ${source}`,
      meaning,
      remedy: "cat /sys/devices/system/clocksource/clocksource0/available_clocksource",
    });
  }
  return findings;
}

function name({ host, addresses, error, tookMs }: Lookup, machine: Machine, { domains }: Wanted): Finding {
  const check = "names";
  if (error !== undefined) {
    const meaning = domains.includes(host)
      ? "No certificate authority will give a certificate for it."
      : "Requests for that backend are answered 503.";
    return {
      check,
      level: "error",
      what: `${host} is not found (${error})`,
      meaning,
      remedy: "cat /etc/resolv.conf; or the name is wrong",
    };
  }
  const what = `${host} is ${addresses.join(", ")}`;
  if (domains.includes(host) && !addresses.some((address) => machine.addresses.includes(address))) {
    const meaning =
      "None of these is an address of this machine: the authority's question has to be passed on to it, or no certificate comes.";
    return { check, level: "warning", what, meaning, remedy: "let the name lead here, or pass port 80 on" };
  }
  if (tookMs < slowLookupMs) return { check, level: "ok", what };
  const meaning = "Endpoints are looked up again and again.";
  return {
    check,
    level: "warning",
    what: `${what}, which took ${span(tookMs)}`,
    meaning,
    remedy: "cat /etc/resolv.conf",
  };
}

/** A certificate of the configuration, or why it cannot be used. */
export type CertificateLook =
  | { readonly where: string; readonly error: string }
  | {
      readonly where: string;
      readonly names: readonly string[];
      readonly validFrom: number;
      readonly expiresAt: number;
      readonly problem: string | undefined;
    };

export function judgeCertificates(looks: readonly CertificateLook[], now: number): readonly Finding[] {
  return looks.map((look): Finding => {
    const check = "certificates";
    if ("error" in look) return { check, level: "error", what: look.error, meaning: "The start fails." };
    const { names, expiresAt, validFrom, problem } = look;
    const what = `${names.join(", ")} (${look.where})`;
    const ends = distance(expiresAt - now);
    const renew = "renew it; a running cluster takes the new files by itself, or by lb certs reload";
    if (expiresAt <= now)
      return {
        check,
        level: "error",
        what: `${what} has expired ${ends}`,
        meaning: "Clients refuse it.",
        remedy: renew,
      };
    if (validFrom > now)
      return {
        check,
        level: "error",
        what: `${what} is good only ${distance(validFrom - now)}`,
        meaning: "Clients refuse it.",
        remedy: "is the clock right? date",
      };
    if (problem !== undefined)
      return {
        check,
        level: "warning",
        what: `${what}: ${problem}`,
        meaning: "Some clients refuse it, others do not.",
        remedy: "put its own certificate first in the file, and then those that lead to a root",
      };
    if (expiresAt - now < soonMs)
      return {
        check,
        level: "warning",
        what: `${what} expires ${ends}`,
        meaning: "Clients will refuse it.",
        remedy: renew,
      };
    return { check, level: "ok", what: `${what}, good until ${new Date(expiresAt).toISOString().slice(0, 10)}` };
  });
}
