import { accessSync, constants, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { sharedReach } from "../backends/shared-reach.ts";
import { LbError } from "../model/errors.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import { readCertificate } from "../tls/certificate.ts";
import { readClientAuthorities } from "../tls/client-certificate.ts";

export { readEnvFiles } from "../supervisor/env-files.ts";

/** Something that options name, and that is not as they need it. */
export interface BrokenReference {
  readonly option: string;
  readonly what: string;
}

/** What is wrong with what the settings name: files, directories, and ports that two would have. Nothing is opened but files. */
export function brokenReferences(settings: ClusterSettings): readonly BrokenReference[] {
  return [...certificates(settings), ...backends(settings), ...directories(settings), ...ports(settings)];
}

function certificates({ front: { https }, admin }: ClusterSettings): readonly BrokenReference[] {
  const { certificates: given = [], clientCertificates = false } = https || {};
  return [
    ...given.flatMap((one, at) =>
      tried(`https.certificates[${at}]`, () => readCertificate(one, `https.certificates[${at}]`)),
    ),
    ...(clientCertificates === false
      ? []
      : tried("https.clientCertificates", () => readClientAuthorities(clientCertificates))),
    ...(admin === false || admin.tls === undefined
      ? []
      : tried("admin.tls", () => readCertificate(admin.tls!, "admin.tls"))),
  ];
}

function backends({ backends: all }: ClusterSettings): readonly BrokenReference[] {
  return Object.entries(all).flatMap(([name, backend]) =>
    backend.endpoints === undefined
      ? []
      : tried(`backends.${name}.tls`, () => sharedReach(backend, `backends.${name}`)),
  );
}

function tried(option: string, look: () => unknown): readonly BrokenReference[] {
  try {
    look();
    return [];
  } catch (error) {
    if (!(error instanceof LbError)) throw error;
    const [, named = option, why] = /^Option "([^"]+)"[^:]*: (.*)$/s.exec(error.message) ?? [];
    return [{ option: named, what: why ?? error.message }];
  }
}

function directories({ routes, exec, accessLog }: ClusterSettings): readonly BrokenReference[] {
  return [
    ...routes.flatMap(({ option, to }) =>
      to.kind === "files" && !isDirectory(to.files.root)
        ? [{ option: `${option}.to.files`, what: `There is no directory ${resolve(to.files.root)}.` }]
        : [],
    ),
    ...(exec?.cwd === undefined || isDirectory(exec.cwd)
      ? []
      : [{ option: "exec.cwd", what: `There is no directory ${resolve(exec.cwd)}.` }]),
    ...(accessLog === false || typeof accessLog.to !== "string" || accessLog.to === "stdout"
      ? []
      : unwritable(dirname(resolve(accessLog.to)))),
  ];
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function unwritable(directory: string): readonly BrokenReference[] {
  try {
    accessSync(directory, constants.W_OK);
    return [];
  } catch (error) {
    return [{ option: "accessLog.to", what: `Its directory cannot be written to: ${(error as Error).message}.` }];
  }
}

/** Ports from `first` on that an option asks for. */
interface Ports {
  readonly option: string;
  readonly host: string;
  readonly first: number;
  readonly count: number;
}

function ports(settings: ClusterSettings): readonly BrokenReference[] {
  const all = portsOf(settings);
  return all.flatMap((one, at) => {
    const other = all.slice(0, at).find((before) => meets(one, before));
    if (other === undefined) return [];
    const port = Math.max(one.first, other.first);
    return [
      { option: one.option, what: `The port ${port} is asked for by "${other.option}", too: give each its own.` },
    ];
  });
}

function portsOf({
  front,
  instances,
  workerPort,
  workerHost,
  port,
  backends: all,
  admin,
}: ClusterSettings): readonly Ports[] {
  const listeners = front.listeners.flatMap(({ place, remedy }): readonly Ports[] =>
    place.kind === "tcp"
      ? [{ option: /"(.+)"/.exec(remedy)?.[1] ?? "listen", host: place.host, first: place.port, count: 1 }]
      : [],
  );
  const own = { option: "workerPort", host: workerHost, first: workerPort ?? port + 1, count: instances };
  const others = Object.entries(all).map(([name, { program }]): Ports => {
    const { workerPort: first = 0, instances: count = 0 } = program ?? {};
    return { option: `${name}: workerPort`, host: workerHost, first: first ?? 0, count };
  });
  const place = admin === false ? undefined : admin.place;
  const looks =
    place?.kind === "tcp" && place.ports.length === 1
      ? [{ option: "admin.port", host: place.host, first: place.ports[0]!, count: 1 }]
      : [];
  return [...listeners, own, ...others, ...looks].filter(({ first, count }) => first > 0 && count > 0);
}

function meets(one: Ports, other: Ports): boolean {
  const apart = one.first + one.count <= other.first || other.first + other.count <= one.first;
  return (
    !apart && (one.host === other.host || [one.host, other.host].some((host) => host === "0.0.0.0" || host === "::"))
  );
}
