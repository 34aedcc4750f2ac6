import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { logicalDirectory } from "../../cluster/logical-directory.ts";
import { systemRandom } from "../../model/random.ts";
import type { ClusterOptions } from "../../options/cluster-options.ts";
import { type ClusterSettings, parseClusterOptions } from "../../options/cluster-settings.ts";
import { CliError } from "../cli-error.ts";
import type { ServiceFacts } from "./unit.ts";

/** The flags of `lb startup` itself, and whether a value follows. The rest are those of `lb start`. */
const ownFlags: ReadonlyMap<string, boolean> = new Map([
  ["--user", false],
  ["--print", false],
  ["--dry-run", false],
  ["--remove", false],
  ["--saved", false],
  ["--socket", false],
  ["--run-as", true],
]);

/** Where `lb start` listens, which systemd does in its place. */
const placeFlags: ReadonlyMap<string, boolean> = new Map([
  ["-p", true],
  ["--port", true],
  ["--host", true],
]);

/** What stands behind `lb startup`, as it stands behind `lb start`. */
export function startArguments(
  words: readonly string[],
  { withoutPlace }: { readonly withoutPlace: boolean },
): string[] {
  const left: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const one = words[at]!;
    if (one === "--") return [...left, ...words.slice(at)];
    const [flag = one] = one.startsWith("--") ? one.split("=", 1) : [one];
    const takes = ownFlags.get(flag) ?? (withoutPlace ? placeFlags.get(flag) : undefined);
    if (takes === undefined) left.push(one);
    else if (takes && !one.includes("=")) at += 1;
  }
  return left;
}

/** What an app finds in its environment as a service, of what whoever sets it up has in theirs. */
const passed = ["NODE_ENV", "PORT", "WEB_CONCURRENCY", "LB_CONTROL_DIR"];
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export function serviceVariables(env: NodeJS.ProcessEnv, node: string): Readonly<Record<string, string>> {
  const kept = passed.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  const own = dirname(node);
  const path = usualPath.split(":").includes(own) ? usualPath : `${own}:${usualPath}`;
  return { PATH: path, ...Object.fromEntries(kept) };
}

/** `lb`, as it can be run at any time. @throws CliError */
export function lbCommand(): readonly string[] {
  const { execPath, execArgv, argv } = process;
  const cli = argv[1] ?? "";
  if (!cli.includes("/_npx/") && !cli.includes("/dlx-")) return [execPath, ...execArgv, cli];
  throw new CliError(`${cli} is in a cache that is emptied at times: npm install @lb/core, and use the lb of that.`, 1);
}

export interface Surroundings {
  readonly options: ClusterOptions;
  /** It runs no app. */
  readonly alone: boolean;
  readonly words: readonly string[];
  readonly user: string | undefined;
  readonly socket: boolean;
}

/** @throws OptionError if `lb start` would refuse the options; CliError */
export function serviceFacts({ options, alone, words, user, socket }: Surroundings): ServiceFacts {
  const { name = "app" } = options;
  const lb = lbCommand();
  const { env } = process;
  const settings = parseClusterOptions(options, {
    env,
    parallelism: availableParallelism(),
    random: systemRandom,
    alone,
  });
  const variables = serviceVariables(env, lb[0]!);
  const { PORT: _port, ...withoutPort } = variables;
  const { front, drainTimeoutMs, shutdownDelayMs } = settings;
  const ports = front.listeners.flatMap(({ place }) => (place.kind === "tcp" ? [place.port] : []));
  return {
    name,
    command: [...lb, "start", ...startArguments(words, { withoutPlace: socket })],
    lb,
    cwd: logicalDirectory(process.cwd(), env["PWD"]),
    user,
    env: socket ? withoutPort : variables,
    endMs: drainTimeoutMs + shutdownDelayMs,
    lowPorts: ports.some((port) => port > 0 && port < 1_024),
    keepsState: front.https !== false,
    sockets: socket ? socketsOf(settings) : [],
  };
}

function socketsOf({ front: { listeners, https } }: ClusterSettings): readonly string[] {
  if (https !== false) {
    const where = "docs/deploy.md shows the units for it.";
    throw new CliError(`With TLS there are two sockets, which have to be told apart by names: ${where}`, 2);
  }
  return listeners.map(({ place }) => {
    if (place.kind === "unix") return place.path;
    if (place.kind === "fd" || place.port === 0)
      throw new CliError("systemd opens ports that are known before: say which with --port.", 2);
    const { host, port } = place;
    return `${host.includes(":") ? `[${host}]` : host}:${port}`;
  });
}
