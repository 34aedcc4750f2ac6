import { type Command, Option } from "commander";
import { stopSignals } from "../ipc/worker-facts.ts";
import type { ClusterOptions } from "../options/cluster-options.ts";
import { strategies } from "../strategies/index.ts";
import * as read from "./flag-values.ts";

/** A flag of `lb start` that is one of the options of `cluster()`. */
interface StartFlag {
  /** As commander has it. */
  readonly flag: string;
  /** Where it belongs among the options, e.g. `"limits.maxBodyBytes"`. */
  readonly option: string;
  readonly help: string;
  /** Shown only: what holds without the flag is said by the options themselves. */
  readonly fallback?: string;
  readonly choices?: readonly string[];
  readonly read?: (text: string, before?: unknown) => unknown;
}

/** Under their headings in `lb start --help`. */
export const startFlags: Readonly<Record<string, readonly StartFlag[]>> = {
  "Cluster:": [
    {
      flag: "-i, --instances <n>",
      option: "instances",
      help: "how many",
      fallback: "WEB_CONCURRENCY, else auto: one on each processor",
      read: read.instances,
    },
    {
      flag: "-p, --port <port>",
      option: "port",
      help: "the public port",
      fallback: "PORT, else 3000",
      read: read.wholeNumber(0, 65_535),
    },
    {
      flag: "--host <address>",
      option: "host",
      help: "where the public port listens",
      fallback: "127.0.0.1; 0.0.0.0 for all",
      read: read.text,
    },
    {
      flag: "--name <name>",
      option: "name",
      help: "what the other commands call it",
      fallback: "the entry's name",
      read: read.text,
    },
    {
      flag: "--worker-port <port>",
      option: "workerPort",
      help: "first of the instances' own ports",
      fallback: "port + 1",
      read: read.wholeNumber(0, 65_535),
    },
    {
      flag: "--worker-host <address>",
      option: "workerHost",
      help: "where those listen",
      fallback: "127.0.0.1",
      read: read.text,
    },
    {
      flag: "--port-env <which>",
      option: "portEnv",
      help: "what PORT says to the app: the public port, or its own",
      fallback: "public",
      choices: ["public", "own"],
    },
    {
      flag: "--mode <mode>",
      option: "mode",
      help: "how requests reach the instances",
      fallback: "proxy",
      choices: ["proxy", "handoff"],
    },
  ],
  "Balancing:": [
    {
      flag: "--strategy <name>",
      option: "strategy",
      help: "how an instance is chosen",
      fallback: "least-connections",
      choices: Object.keys(strategies),
    },
    {
      flag: "--affinity <rules>",
      option: "affinity",
      help: "what belongs together: cookie, ip, socket.io, header:<name>, query:<name>; several with commas",
      fallback: "none",
      read: read.affinity,
    },
    { flag: "--no-socket-io", option: "socketIo", help: "leave Socket.IO servers as they are" },
    {
      flag: "--retry <attempts>",
      option: "retry",
      help: 'how often a request is tried, or "off"',
      fallback: "3",
      read: read.attempts,
    },
    { flag: "--backend-header", option: "backendHeader", help: "add X-Backend-Server to responses" },
  ],
  "Health and life:": [
    {
      flag: "--health-path <path>",
      option: "health.active.path",
      help: "ask each instance for this every 5 s; it is ready once it answers",
      fallback: "off",
      read: read.text,
    },
    {
      flag: "--health-endpoints <path>",
      option: "healthEndpoints",
      help: 'answer health checks on the public port: "on" is /health',
      fallback: "off",
      read: read.healthEndpoints,
    },
    {
      flag: "--max-memory <size>",
      option: "maxMemoryMb",
      help: "replace an instance that has more, e.g. 512M",
      fallback: "no limit",
      read: read.megabytes,
    },
    {
      flag: "--start-timeout <time>",
      option: "startTimeoutMs",
      help: "until an instance must be ready",
      fallback: "30s",
      read: read.milliseconds,
    },
    {
      flag: "--start-parallelism <n>",
      option: "startParallelism",
      help: "instances that start at a time; first: one, then the rest",
      fallback: "first",
      read: read.startParallelism,
    },
    {
      flag: "--drain-timeout <time>",
      option: "drainTimeoutMs",
      help: "until open connections are cut",
      fallback: "10s",
      read: read.milliseconds,
    },
    {
      flag: "--shutdown-delay <time>",
      option: "shutdownDelayMs",
      help: "from SIGTERM to the drain",
      fallback: "0",
      read: read.milliseconds,
    },
    {
      flag: "--stop-signal <signal>",
      option: "stopSignal",
      help: "which handler of the app's is called at its end",
      fallback: "SIGTERM",
      choices: stopSignals,
    },
    {
      flag: "--max-crashes <n>",
      option: "restart.maxCrashes",
      help: "more in a row are a crash loop",
      fallback: "5",
      read: read.wholeNumber(0),
    },
    {
      flag: "--restart-delay <time>",
      option: "restart.delayMs",
      help: "pause before the second restart in a row",
      fallback: "100ms",
      read: read.milliseconds,
    },
    { flag: "--no-heartbeat", option: "heartbeat", help: "do not replace instances that are silent" },
    { flag: "--wait-ready", option: "waitReady", help: 'an instance is ready when it calls process.send("ready")' },
  ],
  "What may pass:": [
    {
      flag: "--allowed-host <hosts>",
      option: "allowedHosts",
      help: "hosts that requests may name; several with commas",
      fallback: "any",
      read: read.list,
    },
    {
      flag: "--allowed-origin <origins>",
      option: "allowedOrigins",
      help: "origins of WebSockets",
      fallback: "any",
      read: read.list,
    },
    {
      flag: "--trusted-proxy <ranges>",
      option: "trustedProxies",
      help: "whose X-Forwarded-* is believed: addresses, ranges, loopback, private",
      fallback: "none",
      read: read.list,
    },
    {
      flag: "--max-body <size>",
      option: "limits.maxBodyBytes",
      help: "longest request body, e.g. 10M",
      fallback: "no limit",
      read: read.bytes,
    },
    {
      flag: "--max-connections <n>",
      option: "limits.maxConnections",
      help: "open connections",
      fallback: "from the descriptor limit",
      read: read.wholeNumber(1),
    },
    {
      flag: "--max-connections-per-address <n>",
      option: "limits.maxConnectionsPerAddress",
      help: "those of one client",
      fallback: "no limit",
      read: read.wholeNumber(1),
    },
    {
      flag: "--response-timeout <time>",
      option: "timeouts.responseMs",
      help: "until an instance must have begun its answer",
      fallback: "60s",
      read: read.milliseconds,
    },
    {
      flag: "--keep-alive-timeout <time>",
      option: "timeouts.keepAliveMs",
      help: "until an idle connection is closed",
      fallback: "60s",
      read: read.milliseconds,
    },
  ],
  "Output:": [
    {
      flag: "--log <format>",
      option: "log.format",
      help: "what becomes of the cluster, on standard error",
      fallback: "text",
      choices: ["text", "json", "off"],
    },
    { flag: "--timestamps", option: "log.timestamps", help: "the time before each line" },
    { flag: "--no-control", option: "control", help: "the other commands do not find this cluster" },
  ],
};

const all: readonly StartFlag[] = Object.values(startFlags).flat();

/** Adds them to the command. */
export function addStartFlags(command: Command): Command {
  for (const [heading, flags] of Object.entries(startFlags)) {
    for (const { flag, help, fallback, choices, read: parse } of flags) {
      const option = new Option(flag, fallback === undefined ? help : `${help} (default: ${fallback})`);
      if (choices !== undefined) option.choices([...choices]);
      if (parse !== undefined) option.argParser(parse);
      command.addOption(option.helpGroup(heading));
    }
  }
  return command;
}

/** The options that were given by flags, over those of a configuration. */
export function withFlags(config: ClusterOptions, flags: Readonly<Record<string, unknown>>): ClusterOptions {
  let options: object = config;
  for (const one of all) {
    const value = givenValue(one, flags);
    if (value !== undefined) options = withValue(options, one.option.split("."), value);
  }
  return options as ClusterOptions;
}

/** A copy with one value in it; what stands in the way of its path and is no object makes room. */
function withValue(options: object, [name, ...rest]: readonly string[], value: unknown): object {
  if (rest.length === 0) return { ...options, [name!]: value };
  const inner = (options as Readonly<Record<string, unknown>>)[name!];
  const base = typeof inner === "object" && inner !== null ? inner : {};
  return { ...options, [name!]: withValue(base, rest, value) };
}

/** The flag for an option, if there is one. */
export function flagFor(option: string): string | undefined {
  const found = all.find((one) => one.option === option);
  return found && (new Option(found.flag).long ?? undefined);
}

/** The flag by which an option was given, e.g. `--max-body`; undefined: by none. */
export function flagOf(path: string, flags: Readonly<Record<string, unknown>>): string | undefined {
  const within = (option: string) => path === option || path.startsWith(`${option}.`) || path.startsWith(`${option}[`);
  const found = all.find((one) => within(one.option) && givenValue(one, flags) !== undefined);
  return found && new Option(found.flag).long;
}

/** Commander says `true` of a `--no-x` that was not given. */
function givenValue({ flag }: StartFlag, flags: Readonly<Record<string, unknown>>): unknown {
  const option = new Option(flag);
  const value = flags[option.attributeName()];
  return option.negate && value !== false ? undefined : value;
}
