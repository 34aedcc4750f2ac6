import {
  controlDirectory,
  controlPath,
  freeName,
  listControls,
  openControlDirectory,
} from "../control/control-directory.ts";
import { type ControlCommand, ControlServer } from "../control/control-server.ts";
import type { ProfileWish } from "../control/profile.ts";
import type { RouteQuestion } from "../control/route-report.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { Clock } from "../model/clock.ts";
import type { OutputLine } from "../model/output-line.ts";
import type { Random } from "../model/random.ts";
import { type ActionName, actionArguments } from "../options/action-arguments.ts";
import { type WatchArgument, type WatchedCluster, watch } from "./cluster-watch.ts";
import type { Configuration, ConfigurationWish } from "./configuration.ts";
import { operatorActions } from "./operator-actions.ts";
import { isOf, type OutputOptions } from "./output-options.ts";
import type { PrimaryCluster } from "./primary-cluster.ts";
import { tellProfile } from "./profile-command.ts";
import type { Profiles } from "./profiles.ts";

/** What the control socket gives access to. */
export interface ControlledCluster extends WatchedCluster {
  readonly primary: PrimaryCluster;
  readonly profiles: Profiles;
  readonly configuration: Configuration;
  /** Has another primary take the place of this one; see `ClusterUpgrade`. */
  readonly upgrade: (
    argument: unknown,
    ties: { readonly tell: (event: unknown) => void; readonly signal: AbortSignal },
  ) => Promise<unknown>;
}

/** What the `lb` command can ask a primary for. */
function commandsOf(
  { primary, profiles, configuration, upgrade, ...watched }: ControlledCluster,
  name: string,
): Readonly<Record<string, ControlCommand>> {
  const actions = operatorActions(primary);
  const acting = (Object.keys(actionArguments) as ActionName[]).map((action): [string, ControlCommand] => [
    action,
    (argument, tell, signal) => actions.run(action, argument, tell, signal),
  ]);
  return {
    ...Object.fromEntries(acting),
    allow: (range) => actions.run("allow", { range }),
    status: () => ({ ...primary.status(), name }),
    routes: (argument) => primary.routes(argument as RouteQuestion | undefined),
    denied: () => primary.denied(),
    config: (argument) => configuration.reread(argument as ConfigurationWish | undefined),
    dashboard: () => primary.dashboard ?? null,
    logs: (argument, tell, signal) => logs(primary, argument as LogsArgument, { tell, signal }),
    watch: (argument, tell, signal) => watch({ ...watched, name }, argument as WatchArgument, { tell, signal }),
    profile: (argument, tell, signal) => tellProfile(profiles, argument as ProfileWish, { tell, signal }),
    upgrade: (argument, tell, signal) => upgrade(argument, { tell, signal }),
    // It answers before it ends, since its end takes the socket along.
    stop: () => {
      const drains = process.listenerCount("SIGTERM") > 0;
      setImmediate(() => (drains ? process.kill(process.pid, "SIGTERM") : primary.close()));
    },
  };
}

interface LogsArgument extends OutputOptions {
  readonly lines: number;
  /** Goes on with what comes, until the client leaves. */
  readonly follow: boolean;
}

async function logs(
  primary: PrimaryCluster,
  { follow, ...wanted }: LogsArgument,
  { tell, signal }: { readonly tell: (event: unknown) => void; readonly signal: AbortSignal },
): Promise<void> {
  for (const line of primary.output(wanted)) tell(line);
  if (!follow || signal.aborted) return;
  const pass = (line: OutputLine) => {
    if (isOf(line, wanted)) tell(line);
  };
  primary.on("output", pass);
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  primary.off("output", pass);
}

/** How long one waits at most who has given way to another of its name, and how often one does. */
const giveWayMs = 100;
const maxGivenWay = 20;

export interface ClusterControlOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The process of the primary in whose place this one is, whose name is this one's. */
  readonly before: number | undefined;
}

/** The control socket of a cluster. It may be closed before it is open. */
export class ClusterControl {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #before: number | undefined;
  #server: ControlServer | undefined;
  #name: string | undefined;
  #closed = false;

  constructor({ clock, random, before }: ClusterControlOptions) {
    this.#before = before;
    this.#clock = clock;
    this.#random = random;
  }

  /** As what the cluster is listed; undefined: it is not yet. */
  get name(): string | undefined {
    return this.#name;
  }

  /** Resolves with why it could not be opened. */
  async open(
    wanted: string,
    cluster: ControlledCluster,
    events: ClusterEvents<ClusterEventMap>,
  ): Promise<Error | undefined> {
    try {
      const directory = controlDirectory();
      openControlDirectory(directory);
      const name = await this.#listen(wanted, directory, cluster);
      this.#name = name;
      if (name !== wanted) events.emit("control-renamed", { from: wanted, to: name });
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  /**
   * Listens by a name that no other cluster has. Those that start at the same moment see each other when both listen, which
   * one of them does first: who finds another of its name then gives way, and tries again after a time that is not theirs.
   */
  async #listen(wanted: string, directory: string, cluster: ControlledCluster): Promise<string> {
    for (let givenWay = 0; ; givenWay += 1) {
      const name = freeName(wanted, await this.#others(directory));
      const server = new ControlServer(controlPath(directory, name, process.pid), commandsOf(cluster, name));
      await server.listen();
      const others = await this.#others(directory);
      if (this.#closed) server.close();
      if (this.#closed || freeName(name, others) === name || givenWay === maxGivenWay) {
        this.#server = server;
        return name;
      }
      server.close();
      await new Promise<void>((resolve) => void this.#clock.after(this.#random() * giveWayMs, resolve));
    }
  }

  /** But for the one in whose place this cluster is. */
  async #others(directory: string) {
    const before = this.#before;
    return (await listControls(directory)).filter(({ pid }) => pid !== process.pid && pid !== before);
  }

  /** It is not found any more; who is there already stays. */
  leave(): void {
    this.#closed = true;
    this.#server?.leave();
  }

  close(): void {
    this.#closed = true;
    this.#server?.close();
  }
}
