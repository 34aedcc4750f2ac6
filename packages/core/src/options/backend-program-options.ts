import * as v from "valibot";
import type { StopSignal } from "../ipc/worker-facts.ts";
import { OptionError } from "../model/errors.ts";
import { type AppEntry, appEntry } from "./app-entry.ts";
import {
  type AutoscaledInstances,
  type AutoscaleOptions,
  type AutoscaleSettings,
  autoscaleSchema,
  autoscaleSettings,
  maxInstances,
  withinAutoscale,
} from "./autoscale-options.ts";
import { variablesSchema } from "./environment-options.ts";
import {
  type ExecOptions,
  type ExecSettings,
  execSchema,
  execSignals,
  type ParsedExec,
  refuseUnread,
} from "./exec-options.ts";
import { lifeEntries, type RestartOptions } from "./life-options.ts";
import { option } from "./option.ts";
import { maxPort } from "./tcp-address.ts";
import { milliseconds, oneOf, wholeNumber, yesOrNo } from "./validation.ts";

/** A backend that is run here, and starts and ends with the cluster: any program, or an app of Node.js. */
export interface BackendProgramOptions {
  /**
   * Runs this program in place of endpoints elsewhere: a command, or {@link ExecOptions}, as the option `exec` of the cluster. Default:
   * its endpoints are where `endpoints` says.
   */
  readonly exec?: string | readonly string[] | ExecOptions;
  /** Runs this file by Node.js, with all that an app here has: the link, channels between its instances, Socket.IO. Default: none. */
  readonly entry?: string;
  /** The arguments of `entry`. Default: none. */
  readonly args?: readonly string[];
  /** Options of Node.js that `entry` is run with: `["--enable-source-maps"]`. Default: those of this process. */
  readonly nodeArgs?: readonly string[];
  /** Where `entry` runs. Default: where this process does. */
  readonly cwd?: string;
  /** Added to the environment of its instances, over the cluster's `env`. Default `{}`. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * `"server"`, the default: it listens, and requests go to it. `"worker"`: it gets none, and has no port: a consumer of a queue, a
   * clock. It is supervised, scaled and reloaded all the same.
   */
  readonly kind?: "server" | "worker";
  /** Of a worker: it is ready when it has run for so long, or, with `waitReady`, when it says so. Default 1,000. */
  readonly minUptimeMs?: number;
  /** How many instances of it run; `"auto"`: one for each processor. Default 1, or `autoscale.min`. */
  readonly instances?: number | "auto";
  /** First of their consecutive ports. Default 0: wherever a run of them is free. */
  readonly workerPort?: number;
  /** An instance whose memory, with that of all that it has started, exceeds this many megabytes is replaced. Default: no limit. */
  readonly maxMemoryMb?: number;
  /** Changes the number of its instances with the load: what `autoscale` is for the app. Default: it stays. */
  readonly autoscale?: AutoscaleOptions;
  /** In place of the cluster's, for these instances. */
  readonly startTimeoutMs?: number;
  /** Of `entry`: an instance is ready only when it has called `process.send("ready")` as well. Default false. */
  readonly waitReady?: boolean;
  /** In place of the cluster's, for these instances. */
  readonly drainTimeoutMs?: number;
  /** In place of the cluster's, for these instances. */
  readonly stopSignal?: StopSignal;
  /** In place of the cluster's, for these instances. */
  readonly restart?: Partial<RestartOptions>;
  /** One that ends by itself with one of these has done its work, and is not started again. Default: none. */
  readonly stopExitCodes?: readonly number[];
  /** When all of these are replaced by the clock: `"0 4 * * *"`. Who has done its work does it then once more. Default: never. */
  readonly restartCron?: string;
}

/** How instances of one group start, live and end. */
export interface GroupLife {
  readonly startTimeoutMs: number;
  readonly waitReady: boolean;
  readonly drainTimeoutMs: number;
  readonly stopSignal: StopSignal;
  readonly restart: RestartOptions;
  readonly stopExitCodes: readonly number[];
  readonly restartCron?: string | undefined;
}

/** What the instances of a group run. */
export type Runs =
  | { readonly kind: "program"; readonly exec: ExecSettings }
  | { readonly kind: "app"; readonly entry: AppEntry };

/** {@link BackendProgramOptions}, checked and completed. */
export interface BackendProgramSettings extends GroupLife {
  readonly runs: Runs;
  readonly kind: "server" | "worker";
  readonly minUptimeMs: number;
  /** Over the cluster's. */
  readonly env: Readonly<Record<string, string>>;
  readonly instances: number;
  readonly workerPort: number;
  readonly maxMemoryMb: number | undefined;
  readonly autoscale: AutoscaleSettings | undefined;
}

const words = v.pipe(v.array(v.string("give a list of words"), "give a list of words"), v.readonly());
const text = v.pipe(v.string("give a path"), v.nonEmpty("give a path"));
const clusters = { otherwise: "the cluster's" };

/** To be spread into the options of a backend. */
export const backendProgramEntries = {
  exec: option(execSchema, undefined, "a program that is run here in place of them: [any-program.md](any-program.md)", {
    otherwise: "none",
  }),
  entry: option(text, undefined, "an app of Node.js that is run here in place of them: [apps.md](apps.md)", {
    otherwise: "none",
  }),
  args: option(words, undefined, "of `entry`: its arguments", { otherwise: "none" }),
  nodeArgs: option(words, undefined, "of `entry`: options of Node.js", { otherwise: "those of this process" }),
  cwd: option(text, undefined, "of `entry`: where it runs", { otherwise: "where lb does" }),
  env: option(variablesSchema, {}, "of what is run here: added to its environment, over the cluster's `env`", {
    otherwise: "`{}`",
  }),
  kind: option(
    oneOf(["server", "worker"]),
    "server",
    '`"worker"`: it gets no requests and has no port, as a queue\'s consumer: [apps.md](apps.md#workers)',
  ),
  minUptimeMs: option(milliseconds(0), 1_000, "of a worker: ready when it has run for so long"),
  instances: option(
    v.union(
      [v.literal("auto"), wholeNumber(1, maxInstances)],
      `give "auto" or a whole number from 1 to ${maxInstances}`,
    ),
    undefined,
    "of what is run here: how many",
    { otherwise: "1, or `autoscale.min`" },
  ),
  workerPort: option(
    wholeNumber(0, maxPort),
    0,
    "of what is run here: the first of their consecutive ports; 0: a free run",
  ),
  maxMemoryMb: option(wholeNumber(16, 1_048_576), undefined, "of what is run here: one with more memory is replaced", {
    otherwise: "no limit",
  }),
  autoscale: option(autoscaleSchema, undefined, "of what is run here: as many as there is work for; as for the app", {
    otherwise: "off",
  }),
  startTimeoutMs: own(lifeEntries.startTimeoutMs, "of what is run here: an instance not ready by then is replaced"),
  waitReady: option(yesOrNo(), false, 'of `entry`: an instance is ready only after its `process.send("ready")`'),
  drainTimeoutMs: own(lifeEntries.drainTimeoutMs, "of what is run here: how long a drain may take"),
  stopSignal: own(lifeEntries.stopSignal, "of what is run here: what it is told to end by"),
  restart: own(lifeEntries.restart, "of what is run here: when one that died is started again"),
  stopExitCodes: option(
    lifeEntries.stopExitCodes.wrapped,
    [],
    "of what is run here: who ends with one of these codes has done its work",
    { otherwise: "none" },
  ),
  restartCron: option(
    lifeEntries.restartCron.wrapped,
    undefined,
    "of what is run here: when it is reloaded by the clock",
    { otherwise: "never" },
  ),
};

/** A group's own: what it does not say is as the cluster says. */
function own<Schema extends v.GenericSchema>(entry: { readonly wrapped: Schema }, about: string) {
  return option(entry.wrapped, undefined, about, clusters);
}

/** As it is written, checked by itself. */
export type ParsedBackendProgram = Readonly<
  v.InferOutput<v.StrictObjectSchema<typeof backendProgramEntries, undefined>>
>;

export interface ProgramSurroundings extends Pick<AutoscaledInstances, "parallelism" | "heartbeat"> {
  /** Somebody reads what instances write. */
  readonly isRead: boolean;
  /** What holds for all. */
  readonly life: Pick<GroupLife, "startTimeoutMs" | "drainTimeoutMs" | "stopSignal" | "restart">;
}

/** Where a backend stands among the options, and that it says where it is. */
interface ProgramPlace extends ProgramSurroundings {
  readonly within: string;
  readonly hasEndpoints: boolean;
}

/** Undefined: it runs none. */
export function backendProgram(given: ParsedBackendProgram, place: ProgramPlace): BackendProgramSettings | undefined {
  const { within, hasEndpoints, life, isRead, ...measured } = place;
  const runs = runsOf(given, place);
  if (runs === undefined) return undefined;
  const { kind, minUptimeMs, workerPort, maxMemoryMb } = given;
  const autoscale =
    given.autoscale &&
    autoscaleSettings(given.autoscale, { option: `${within}.autoscale`, runs: runs.kind, ...measured });
  if (kind === "worker" && autoscale?.target.metric === "inFlight") {
    throw new OptionError(`${within}.autoscale.target`, autoscale.target, "a worker has no requests: give cpu");
  }
  const { instances = autoscale?.min ?? 1 } = given;
  const size = instances === "auto" ? measured.parallelism : instances;
  return Object.freeze({
    runs,
    kind,
    minUptimeMs,
    env: given.env,
    instances: withinAutoscale(size, autoscale),
    workerPort,
    maxMemoryMb,
    autoscale,
    startTimeoutMs: given.startTimeoutMs ?? life.startTimeoutMs,
    waitReady: given.waitReady,
    drainTimeoutMs: given.drainTimeoutMs ?? life.drainTimeoutMs,
    stopSignal: given.stopSignal ?? life.stopSignal,
    restart: given.restart ?? life.restart,
    stopExitCodes: given.stopExitCodes,
    restartCron: given.restartCron,
  });
}

/** Which of them: it is one, or where its endpoints are is said. */
function runsOf(given: ParsedBackendProgram, { within, hasEndpoints, isRead, life }: ProgramPlace): Runs | undefined {
  const { exec, entry, kind } = given;
  if (exec === undefined && entry === undefined) {
    if (hasEndpoints) return undefined;
    const remedy = "say where it is, or with exec which program it is, or with entry which app of Node.js";
    throw new OptionError(`${within}.endpoints`, undefined, remedy);
  }
  if (hasEndpoints) {
    const [name, value] = exec === undefined ? (["entry", entry] as const) : (["exec", exec.command] as const);
    throw new OptionError(`${within}.${name}`, value, "it is this program, or where endpoints say: give one", {
      hidden: true,
    });
  }
  if (entry !== undefined) {
    if (exec !== undefined) {
      throw new OptionError(`${within}.exec`, exec.command, "it is this program, or the entry: give one", {
        hidden: true,
      });
    }
    return { kind: "app", entry: appEntry({ ...given, entry }, within) };
  }
  return { kind: "program", exec: programOf(exec!, given, { within, isRead, kind, life }) };
}

function programOf(
  exec: ParsedExec,
  given: ParsedBackendProgram,
  {
    within,
    isRead,
    kind,
    life,
  }: Pick<ProgramPlace, "within" | "isRead" | "life"> & Pick<BackendProgramSettings, "kind">,
): ExecSettings {
  for (const name of ["args", "nodeArgs", "waitReady"] as const) {
    if (given[name] === undefined || given[name] === false) continue;
    throw new OptionError(`${within}.${name}`, given[name], "it is of an entry, and this is a program: leave it out");
  }
  if (kind === "worker" && exec.ready.path !== undefined) {
    throw new OptionError(`${within}.exec.ready.path`, exec.ready.path, "a worker answers nobody: leave it out");
  }
  refuseUnread(exec, `${within}.exec`, isRead);
  const asked = given.stopSignal ?? life.stopSignal;
  const stop = exec.stop ?? execSignals.find((signal) => signal === asked) ?? "SIGTERM";
  return Object.freeze({ ...exec, cwd: exec.cwd ?? given.cwd, stop });
}
