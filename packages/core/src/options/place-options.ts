import * as v from "valibot";
import { type AutoscaleOptions, autoscaleSchema, maxInstances } from "./autoscale-options.ts";
import { type ListenOptions, listenSchema } from "./listen-options.ts";
import { type EntriesOf, option } from "./option.ts";
import { hostName, maxPort } from "./tcp-address.ts";
import { oneOf, wholeNumber } from "./validation.ts";

/** How many instances there are, and where they and the cluster are found. */
export interface PlaceOptions {
  /** What the cluster is called in its status. Default `"app"`. */
  readonly name?: string;
  /**
   * How many instances run; `"auto"` is one for each processor that this process may use. Default: the environment
   * variable `WEB_CONCURRENCY`, else `"auto"`.
   */
  readonly instances?: number | "auto";
  /**
   * Changes the number of instances with what they have to do; they start with `instances`, or with `min` if that is not
   * given. Default: their number stays.
   */
  readonly autoscale?: AutoscaleOptions;
  /** The public port; 0 lets the system choose. Default: the environment variable `PORT`, else 3000. */
  readonly port?: number;
  /**
   * The address that the public port is opened on. Default `"127.0.0.1"`: nothing is reachable from other machines
   * unless you ask for it, e.g. with `"0.0.0.0"` or `"::"`. The instances' own ports are on loopback in any case.
   */
  readonly host?: string;
  /**
   * Where the front listens instead: on several addresses, Unix sockets, sockets that systemd has opened:
   * `[{ port: 8080, host: "::" }, { path: "/run/app/http.sock" }, { fd: 3, https: true }]`. They have limits, drain and the rest
   * in common. `port`, and `https.port` where one of these is with TLS, are opened besides if they are given. Default: the
   * sockets that systemd hands over (`LISTEN_FDS`), else none.
   */
  readonly listen?: readonly ListenOptions[];
  /**
   * First of the instances' consecutive ports; 0: wherever a run of them is free. Default `port + 1`, and 0 when `port`
   * is 0.
   */
  readonly workerPort?: number;
  /**
   * Where the instances' own ports listen. Default `"127.0.0.1"`, whatever the app asks for: who reaches an instance
   * directly passes `allowedHosts`, the limits and the cleaning of forwarding headers.
   */
  readonly workerHost?: string;
  /**
   * What `PORT` says in the instances: `"own"`, the default: each instance's own port; `"public"`, the default of
   * `lb start`: the public one, for programs that make URLs from it. `INSTANCE_PORT` is the own one in any case.
   */
  readonly portEnv?: "own" | "public";
  /**
   * `"proxy"`, the default: each request is read here, balanced by itself, and may be tried again elsewhere. `"handoff"`:
   * each connection is given to an instance after its first request head was read here, and none of its bytes crosses the
   * primary again: more than twice as fast, with what docs/modes.md says of its limits.
   */
  readonly mode?: "proxy" | "handoff";
}

/** The options of {@link PlaceOptions}, to be spread into those of a cluster. */
export const placeEntries = {
  name: option(
    v.pipe(v.string("give a name"), v.nonEmpty("give a name")),
    "app",
    "what the cluster is called in its status",
    {
      flag: {
        name: "--name <name>",
        group: "Cluster",
        help: "what the other commands call it",
        fallback: "the entry's name",
      },
    },
  ),
  instances: option(
    v.union(
      [v.literal("auto"), wholeNumber(1, maxInstances)],
      `give "auto" or a whole number from 1 to ${maxInstances}`,
    ),
    undefined,
    'how many run; `"auto"`: one for each processor this process may use',
    {
      otherwise: 'env `WEB_CONCURRENCY`, else `"auto"`',
      flag: {
        name: "-i, --instances <n>",
        group: "Cluster",
        help: "how many",
        fallback: "WEB_CONCURRENCY, else auto: one on each processor",
      },
    },
  ),
  autoscale: option(autoscaleSchema, undefined, "as many as there is work for: see [operations.md](operations.md)", {
    otherwise: "off",
  }),
  port: option(wholeNumber(0, maxPort), undefined, "the public port; 0 lets the system choose", {
    otherwise: "env `PORT`, else 3000",
    flag: { name: "-p, --port <port>", group: "Cluster", help: "the public port", fallback: "PORT, else 3000" },
  }),
  host: option(hostName, "127.0.0.1", "where the public port listens; nothing beyond loopback unless you ask", {
    flag: {
      name: "--host <address>",
      group: "Cluster",
      help: "where the public port listens",
      fallback: "127.0.0.1; 0.0.0.0 for all",
    },
  }),
  listen: option(
    listenSchema,
    undefined,
    "further listeners, or others: addresses, Unix sockets, systemd's; see below",
    {
      otherwise: "systemd's sockets, else none",
      flag: {
        name: "--listen <address>",
        group: "Cluster",
        help: "instead: 80, 0.0.0.0:80, [::]:80, unix:/run/app.sock, fd:3; several with commas, or again",
        fallback: "systemd's sockets, else --port",
      },
    },
  ),
  workerPort: option(
    wholeNumber(0, maxPort),
    undefined,
    "first of the instances' consecutive ports, on loopback; 0: a free run",
    {
      otherwise: "`port + 1`",
      flag: { name: "--worker-port <port>", group: "Cluster", help: "first of the instances' own ports" },
    },
  ),
  workerHost: option(hostName, "127.0.0.1", "where the instances' own ports listen, whatever the app asks for", {
    flag: { name: "--worker-host <address>", group: "Cluster", help: "where those listen" },
  }),
  portEnv: option(
    oneOf(["own", "public"]),
    "own",
    "what `PORT` says in an instance: its own port, or the public one; `INSTANCE_PORT` is the own one",
    {
      underStart: "public",
      flag: {
        name: "--port-env <which>",
        group: "Cluster",
        help: "what PORT says to the app: the public port, or its own",
      },
    },
  ),
  mode: option(oneOf(["proxy", "handoff"]), "proxy", 'or `"handoff"`: see [modes.md](modes.md)', {
    flag: { name: "--mode <mode>", group: "Cluster", help: "how requests reach the instances" },
  }),
} satisfies EntriesOf<PlaceOptions>;
