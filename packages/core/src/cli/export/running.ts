import { basename, relative } from "node:path";
import type { ClusterOptions } from "../../options/cluster-options.ts";
import type { ClusterSettings } from "../../options/cluster-settings.ts";
import type { StartPlan } from "../start-plan.ts";
import { type Policies, policiesOf, serversOf } from "./policies.ts";

/** What has to be known of an app to run it without us: what whoever writes for another supervisor is given. */
export interface Running {
  readonly name: string;
  readonly instances: number;
  /** Of what listens there, in these words and in this directory; `place` says where. */
  readonly command: (place: Place) => readonly string[];
  readonly cwd: string;
  /** It is run by Node.js; else by a program that has to be there. */
  readonly program: "node" | string;
  readonly env: Readonly<Record<string, string>>;
  readonly envFiles: readonly string[];
  /** The public port. */
  readonly port: number;
  /** First of the instances' own, which are consecutive. @throws CliError where nobody can know them */
  readonly firstPort: () => number;
  readonly startTimeoutMs: number;
  readonly drainMs: number;
  readonly shutdownDelayMs: number;
  /** In words: `"SIGTERM"`. */
  readonly stopSignal: string;
  readonly restart: ClusterSettings["restart"];
  readonly stopExitCodes: readonly number[];
  readonly memoryMb: number | undefined;
  readonly autoscale: ClusterSettings["autoscale"];
  /** What the front does, over whatever servers. */
  readonly policies: (servers: Policies["servers"]) => Policies;
  /** What is set and that nobody else does, in words. */
  readonly others: readonly string[];
}

/** Where an instance listens, and which it is. */
export interface Place {
  readonly port: string;
  readonly host: string;
  readonly instance: string;
  /** Node.js there. */
  readonly node: string;
  /** Paths are from the app's directory. */
  readonly inImage: boolean;
}

/** Each with what there is in its place. */
const unwritten: Readonly<Record<string, string>> = {
  waitReady: "nobody hears process.send('ready'): who is ready is seen by its port, or its health check",
  restartCron: "a timer has to do it",
  startParallelism: "all start at once",
  alerts: "who is told when something is wrong",
  tracing: "spans of requests; OpenTelemetry's own packages do it in the app",
  quarantine: "requests that end their instances",
};

export interface Ran {
  readonly planned: Exclude<StartPlan, { readonly kind: "front" | "apps" }>;
  readonly settings: ClusterSettings;
  readonly options: ClusterOptions;
  readonly cwd: string;
}

export function runningOf({ planned, settings, options, cwd }: Ran): Running {
  const { name, instances, port, stopSignal, exec } = settings;
  const functions = typeof options.env === "function";
  const at = exec?.cwd ?? cwd;
  return {
    name,
    instances,
    ...commandOf(planned, settings, at),
    cwd: at,
    env: { ...(functions ? {} : (options.env as Running["env"])), ...exec?.env },
    envFiles: [options.envFile ?? []].flat(),
    port: port === 0 ? 3_000 : port,
    firstPort: () => serversOf(settings)[0]!.port,
    startTimeoutMs: settings.startTimeoutMs,
    drainMs: settings.drainTimeoutMs,
    shutdownDelayMs: settings.shutdownDelayMs,
    stopSignal: exec?.stop ?? (stopSignal === "message" ? "SIGTERM" : stopSignal),
    restart: settings.restart,
    stopExitCodes: settings.stopExitCodes,
    memoryMb: options.maxMemoryMb,
    autoscale: settings.autoscale,
    policies: (servers) => policiesOf(settings, options, servers),
    others: [
      "drain: the app itself has to finish its requests when it gets the signal; lb does that for any",
      ...(planned.kind === "app"
        ? ["PORT and HOST: the app itself has to listen there; lb has any app listen where it should"]
        : []),
      ...(stopSignal === "message" ? ['stopSignal "message": SIGTERM stands in'] : []),
      ...(options.heartbeat === false
        ? []
        : ["heartbeat: nobody ends an instance whose event loop stands still; its health check takes it out"]),
      ...(functions ? ["env: a function, which nobody else can call"] : []),
      ...Object.entries(unwritten).flatMap(([option, about]) => {
        const value = (options as Readonly<Record<string, unknown>>)[option];
        return value === undefined || value === false || value === "first" ? [] : [`${option}: ${about}`];
      }),
    ],
  };
}

function commandOf(
  planned: Ran["planned"],
  { exec }: ClusterSettings,
  cwd: string,
): Pick<Running, "command" | "program"> {
  if (planned.kind === "app") {
    const { wanted, entry, args } = planned;
    // By way of links, where those lead to the file itself.
    const path = basename(wanted) === basename(entry) ? wanted : entry;
    return {
      program: "node",
      command: ({ node, inImage }) => [node, inImage ? relative(cwd, path) : path, ...args],
    };
  }
  const { command } = exec!;
  const filled = (text: string, { port, host, instance }: Place) =>
    text.replaceAll("{port}", port).replaceAll("{host}", host).replaceAll("{instance}", instance);
  if (typeof command === "string") {
    // A signal is to reach the program, and not a shell that waits for it.
    const plain = /^[\w./=:@{},+-]+( [\w./=:@{},+-]+)*$/.test(command) && !/^\w+=/.test(command);
    return {
      program: command.split(" ")[0]!,
      command: (place) => (plain ? filled(command, place).split(" ") : ["/bin/sh", "-c", filled(command, place)]),
    };
  }
  return { program: command[0]!, command: (place) => command.map((word) => filled(word, place)) };
}
