import type { Server } from "node:http";
import { availableParallelism } from "node:os";
import { isMainThread } from "node:worker_threads";
import type { GateFacts } from "../ipc/messages.ts";
import { systemClock } from "../model/clock.ts";
import { LbError, OptionError } from "../model/errors.ts";
import { systemRandom } from "../model/random.ts";
import type { ClusterOptions } from "../options/cluster-options.ts";
import { clusterOptionErrors, parseClusterOptions } from "../options/cluster-settings.ts";
import { envFileSchema } from "../options/environment-options.ts";
import type { ProgramOptions } from "../options/exec-options.ts";
import { takeInheritedSockets } from "../options/inherited-sockets.ts";
import type { RoutingOptions } from "../options/routing-options.ts";
import { parseOptions } from "../options/validation.ts";
import { readEnvFiles } from "../supervisor/env-files.ts";
import { workerEntry } from "../supervisor/worker-entry.ts";
import { takeServiceEnvironment } from "../systemd/service-environment.ts";
import { Agent, type StartApp } from "../worker/agent.ts";
import { takeWorkerFacts } from "../worker/identity.ts";
import { type StartedProgram, startedProgram } from "../worker/program.ts";
import { instanceGate } from "./instance-gate.ts";
import { logicalDirectory, throughLinks } from "./logical-directory.ts";
import type { PrimaryCluster } from "./primary-cluster.ts";
import type { Replaceable } from "./replaceable.ts";
import { startPrimary } from "./start-primary.ts";

/** This process is one of the instances, and its app serves. */
export interface WorkerInstance {
  readonly role: "worker";
  /** 1…N, as in `INSTANCE_ID`. */
  readonly id: number;
  /** Its own port, as in `INSTANCE_PORT`. */
  readonly port: number;
  /** What serves the app: the server that the callback returned, or the one made around what it returned. */
  readonly server: Server;
}

export type Cluster = PrimaryCluster | WorkerInstance;

/**
 * Runs the app in several processes behind one public port. The same program runs in the primary, which calls this to
 * start the cluster, and in each instance, where the same call runs `start` and serves what it returns.
 *
 * In the primary it resolves when all instances are ready, in an instance when that one is; `role` tells them apart.
 *
 * @throws OptionError (`LB_OPTION`) for an option, or an environment variable, that cannot be used
 * @throws LbError in the primary, with nothing left running:
 * - `LB_PORT_BUSY`, `LB_PORT_DENIED`, `LB_PATH_BUSY`, `LB_PATH_DENIED`, `LB_LISTEN`: the public port, another listener, or an
 *   instance's own port cannot be opened;
 * - `LB_APP_THREW`: `start` threw or rejected, and the error is the `cause`; or the program threw while it started;
 * - `LB_APP_ENDED`: the program ended while it started;
 * - `LB_APP_RESULT`, `LB_APP_PROTOCOL`: `start` returned something that cannot be served, or that does not speak HTTP/1.1;
 * - `LB_ENV_FILE`: a file of `envFile` cannot be read, or a line of it;
 * - `LB_EXEC`: the program of `exec` cannot be run;
 * - `LB_START_TIMEOUT`, `LB_CRASH_LOOP`: an instance did not become ready, or died, again and again;
 * - `LB_NO_ENTRY`, `LB_CLUSTER_TWICE`, `LB_NOT_MAIN_THREAD`: the program cannot be run again, or already is a cluster;
 * - `LB_INTAKE_DIRECTORY`, `LB_INTAKE`: the temporary directory does not hold private sockets;
 * - `LB_INTERRUPTED`: a signal ended the start, and the program listens for that signal itself.
 * In an instance that cannot start it never settles: the primary says why, and ends the process.
 *
 * @throws LbError `LB_NOT_A_WORKER` in a process that has an instance's environment but is none
 */
export function cluster(start: StartApp): Promise<Cluster>;
export function cluster(options: ClusterOptions, start: StartApp): Promise<Cluster>;
/** With `exec` the instances run that program, and this one is the primary alone. */
export function cluster(options: ClusterOptions & Required<ProgramOptions>): Promise<PrimaryCluster>;
/** With `apps` alone the instances run those, and this one is the primary alone. */
export function cluster(options: ClusterOptions & Required<Pick<RoutingOptions, "apps">>): Promise<PrimaryCluster>;
export async function cluster(first: ClusterOptions | StartApp, second?: StartApp): Promise<Cluster> {
  const [options, start] = typeof first === "function" ? [{}, first] : [first, second];
  return replaceableCluster(options, start, undefined);
}

/** The same of a program whose primary another one may take the place of. */
export async function replaceableCluster(
  options: ClusterOptions,
  start: StartApp | undefined,
  replaceable: Replaceable | undefined,
): Promise<Cluster> {
  const exec = options?.exec;
  const hasApps = exec === undefined && start === undefined && Array.isArray(options?.apps) && options.apps.length > 0;
  if (exec === undefined && !hasApps && typeof start !== "function") {
    throw new OptionError("start", start, "give the function that makes the app as the last argument of cluster()");
  }
  if (exec !== undefined && start !== undefined) {
    const remedy = "the instances run this program, or the function that makes the app: give one";
    throw new OptionError("exec", exec, remedy, { hidden: true });
  }
  const program = startedProgram();
  if (program !== undefined) return refused(program);
  const release = claimProcess();
  try {
    return hasApps ? await startFront(options, { alone: true, replaceable }) : await run(options, start, replaceable);
  } catch (error) {
    release();
    throw error;
  }
}

/** The front by itself: no app, no instances. For routes that take all there is. */
export async function frontAlone(
  options: ClusterOptions,
  replaceable: Replaceable | undefined,
): Promise<PrimaryCluster> {
  const release = claimProcess();
  try {
    return await startFront(options, { alone: true, replaceable });
  } catch (error) {
    release();
    throw error;
  }
}

async function run(
  options: ClusterOptions,
  start: StartApp | undefined,
  replaceable: Replaceable | undefined,
): Promise<Cluster> {
  const facts = takeWorkerFacts(process.env, process.ppid);
  if (facts !== undefined && start !== undefined) {
    const gate = facts.handoff ? (told: GateFacts) => instanceGate(told, options, facts) : undefined;
    const server = await new Agent({ facts, gate, clock: systemClock }).start(start);
    return { role: "worker", id: facts.slot + 1, port: facts.ownPort, server: server! };
  }
  return startFront(options, { alone: false, replaceable });
}

/** `alone`: there is no app. */
async function startFront(
  options: ClusterOptions,
  { alone, replaceable }: { readonly alone: boolean; readonly replaceable: Replaceable | undefined },
): Promise<PrimaryCluster> {
  const { env, argv, execArgv } = process;
  const directory = logicalDirectory(process.cwd(), env["PWD"]);
  const envFile = (options as ClusterOptions | undefined)?.envFile ?? [];
  // What is read of them are defaults of other options.
  const ofFiles = await readEnvFiles(parseOptions(envFileSchema, envFile, "envFile"), directory);
  // What systemd says in the environment is for the first process alone.
  const [ofSystemd, toTell] = [takeInheritedSockets(env, process.pid), takeServiceEnvironment(env, process.pid)];
  const before = replaceable?.predecessor?.estate;
  const inherited = before?.inherited ?? ofSystemd;
  const service = before === undefined ? toTell : (before.service ?? undefined);
  const parallelism = availableParallelism();
  const surroundings = { env: { ...ofFiles, ...env }, parallelism, random: systemRandom, inherited, alone };
  const reading = {
    parse: (others: ClusterOptions) => parseClusterOptions(others, surroundings),
    errors: (others: ClusterOptions) => clusterOptionErrors(others, surroundings),
  };
  const settings = reading.parse(options);
  const how = { argv, execArgv, cwd: process.cwd(), nodeOptions: env["NODE_OPTIONS"] };
  const run = settings.exec ?? throughLinks(workerEntry(how), directory);
  return startPrimary({
    settings,
    given: options,
    reading,
    run,
    directory,
    service,
    inherited,
    replaceable,
    clock: systemClock,
    random: systemRandom,
  });
}

/** Never resolves: the primary says it once, and ends this process. */
function refused({ entry, fail }: StartedProgram): Promise<never> {
  fail(
    "LB_ALREADY_CLUSTER",
    `${entry} calls cluster() itself, so it needs no \`lb start\`: run it with \`node ${entry}\`. ` +
      "The other commands of `lb` work with it all the same.",
  );
  return new Promise(() => {});
}

/** Known to every copy of this library in the process, the ESM and the CommonJS one for a start. */
const claim = Symbol.for("@lb/core.cluster");

/** One cluster a process, since a worker cannot tell which of several calls it was started for. */
function claimProcess(): () => void {
  if (!isMainThread) {
    throw new LbError("LB_NOT_MAIN_THREAD", "cluster() works with processes: call it in the program's main thread.");
  }
  const claims = globalThis as { [claim]?: true };
  if (claims[claim] === true) {
    const remedy = "Start what belongs together in one callback, and other clusters in programs of their own.";
    throw new LbError("LB_CLUSTER_TWICE", `cluster() was called twice in this process. ${remedy}`);
  }
  claims[claim] = true;
  return () => delete claims[claim];
}
