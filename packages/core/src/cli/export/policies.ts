import type { RuleSettings } from "../../options/affinity-options.ts";
import type { ClusterOptions } from "../../options/cluster-options.ts";
import type { ClusterSettings } from "../../options/cluster-settings.ts";
import { CliError } from "../cli-error.ts";

export interface Server {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  /** Both of them. */
  readonly address: string;
}

/** `address`: all of it in one text, `unix:` before a path. */
export type Listening = { readonly address: string } & (
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string }
);

/** What the front of a cluster does, as far as another program may do it in its place: what every writer is given. */
export interface Policies {
  readonly name: string;
  readonly listeners: readonly (Listening & { readonly encrypted: boolean })[];
  readonly certificates: readonly { readonly cert: string; readonly key: string }[];
  /** The instances, at ports of their own. */
  readonly servers: readonly Server[];
  readonly strategy: string;
  /** The first rule alone: nobody else has several. */
  readonly affinity: RuleSettings | undefined;
  readonly active:
    | {
        readonly path: string;
        readonly intervalMs: number;
        readonly timeoutMs: number;
        readonly healthyAfter: number;
        readonly unhealthyAfter: number;
      }
    | undefined;
  readonly passive: { readonly failures: number; readonly outMs: number } | undefined;
  readonly attempts: number;
  readonly queueMs: number;
  readonly timeouts: ClusterSettings["front"]["timeouts"];
  readonly maxBodyBytes: number;
  /** Undefined: as many as the other one takes by itself. */
  readonly maxConnections: number | undefined;
  /** What is set and stands in no writer's language, in words. */
  readonly others: readonly string[];
}

/** @throws CliError where the instances have no ports that could be written down */
export function serversOf({ instances, workerHost, port, workerPort = port + 1 }: ClusterSettings): readonly Server[] {
  if (workerPort === 0) {
    const remedy = "give the option workerPort (--worker-port), the first of their consecutive ports";
    throw new CliError(`The instances have whatever ports are free, which nobody else can know: ${remedy}.`, 2);
  }
  return Array.from({ length: instances }, (_, index) => serverAt(index + 1, workerHost, workerPort + index));
}

export function serverAt(id: number, host: string, port: number): Server {
  return { id, host, port, address: `${bracketed(host)}:${port}` };
}

/** What the front is told, as a policy over these servers. */
export function policiesOf(settings: ClusterSettings, given: ClusterOptions, servers: readonly Server[]): Policies {
  const { name, front, health, affinity, queue } = settings;
  const { active, passive } = health;
  return {
    // No program's words but these are in all of their languages.
    name: name.replaceAll(/[^\w-]+/g, "-").replace(/^(?=[^A-Za-z])/, "app-"),
    listeners: front.listeners.map(({ place, encrypted }) => ({ ...placeOf(place), encrypted })),
    certificates:
      front.https === false
        ? []
        : front.https.certificates.map(({ cert, key }) => ({ cert: String(cert), key: String(key) })),
    servers,
    strategy:
      typeof given.strategy === "string" || given.strategy === undefined
        ? (given.strategy ?? "least-connections")
        : "of its own",
    affinity: affinity?.[0],
    active: active === false ? undefined : active,
    passive: passive === false ? undefined : { failures: passive.maxFails, outMs: passive.failTimeoutMs },
    attempts: front.retry.attempts,
    queueMs: queue.maxWaitMs,
    timeouts: front.timeouts,
    maxBodyBytes: front.limits.maxBodyBytes,
    maxConnections: given.limits?.maxConnections,
    others: [
      ...othersIn(given),
      ...(affinity !== undefined && affinity.length > 1 ? ["affinity: the first rule alone"] : []),
    ],
  };
}

/** Each with what it is about. */
const unwritten: Readonly<Record<string, string>> = {
  routes: "which requests go to which backend",
  backends: "what there is besides the app",
  rateLimit: "how many requests one client may make",
  denyList: "who is kept out",
  allowedHosts: "for which hosts requests are taken",
  allowedOrigins: "from which origins WebSockets may be opened",
  securityHeaders: "fields that responses get",
  headers: "fields that are added and removed",
  accessLog: "a line for each request",
  healthEndpoints: "health checks on the public port",
  autoscale: "how many instances there are: the list of servers stays as it is here",
  retryBudget: "how many retries all requests together may cost",
};

function othersIn(given: ClusterOptions): readonly string[] {
  return Object.entries(unwritten).flatMap(([option, about]) => {
    const value = (given as Readonly<Record<string, unknown>>)[option];
    return value === undefined || value === false ? [] : `${option}: ${about}`;
  });
}

function placeOf(place: ClusterSettings["front"]["listeners"][number]["place"]): Listening {
  switch (place.kind) {
    case "tcp": {
      const { host, port } = place;
      return { kind: "tcp", host, port, address: `${bracketed(host)}:${port}` };
    }
    case "unix":
      return { kind: "unix", path: place.path, address: `unix:${place.path}` };
    case "fd":
      throw new CliError("What is opened by somebody else (fd) cannot be written down: give a port.", 2);
  }
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
