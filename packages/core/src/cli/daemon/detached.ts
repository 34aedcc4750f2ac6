import type { PrimaryCluster } from "../../cluster/primary-cluster.ts";
import type { LogEntry } from "../../log/log-entry.ts";
import { textLines } from "../../log/log-format.ts";
import { systemClock, systemWallClock } from "../../model/clock.ts";
import { CliError } from "../cli-error.ts";
import { claimFile, type Launch, logFile } from "./launch.ts";
import { claimPidFile, ownerOf, refuseOthers } from "./pid-file.ts";
import { RotatedLog } from "./rotated-log.ts";

/** Tells a process that it was started in the background: a `Launch` without what the process knows by itself. */
export const detachedVariable = "LB_DETACHED";

export type DetachedFacts = Pick<Launch, "name" | "log">;

/** What the process in the background tells the command that has started it. */
export type Told =
  | { readonly kind: "said"; readonly text: string }
  /** `dashboard`: the link to it, a secret. */
  | { readonly kind: "ready"; readonly dashboard: string | undefined };

/** The primary of a cluster that runs in the background, as far as it differs from one in a terminal. */
export class Detached {
  readonly facts: DetachedFacts;
  readonly #log: RotatedLog;
  /** Whoever has started it is no command, and goes on. */
  readonly #isSuccessor: boolean;

  /**
   * Undefined: this process was not started in the background. The variable is taken out of `env`: it is not for processes that
   * this one starts.
   *
   * @param before the process in whose place this one was started, whose file stays its own for now
   */
  static async open(before: number | undefined, env: NodeJS.ProcessEnv = process.env): Promise<Detached | undefined> {
    const { [detachedVariable]: facts } = env;
    delete env[detachedVariable];
    if (facts === undefined || process.send === undefined) return undefined;
    const { name, log } = JSON.parse(facts) as DetachedFacts;
    if (before !== undefined) refuseOthers(claimFile(name), before);
    else claim(name);
    const { maxBytes, files } = log;
    const file = new RotatedLog({ path: logFile({ name, log }), maxBytes, files, clock: systemClock });
    await file.open();
    return new Detached({ name, log }, file, before !== undefined);
  }

  private constructor(facts: DetachedFacts, log: RotatedLog, isSuccessor: boolean) {
    this.facts = facts;
    this.#log = log;
    this.#isSuccessor = isSuccessor;
  }

  line(_stream: "stdout" | "stderr", text: string): void {
    this.#log.line(text);
  }

  /** What lb itself says while it starts is said in the terminal too. */
  said(entry: LogEntry): void {
    if (!process.connected) return;
    this.#tell({ kind: "said", text: startText(entry) });
  }

  /** From now on nobody in a terminal waits for it. */
  ready(cluster: PrimaryCluster): void {
    if (!this.#isSuccessor) this.#tell({ kind: "ready", dashboard: cluster.dashboard });
    // After the last that is said of its end.
    cluster.on("phase", ({ phase }) => {
      if (phase === "closed") setImmediate(() => void this.close());
    });
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #tell(told: Told): void {
    if (!process.connected) return;
    // Whoever waited may be gone.
    process.send?.(told, undefined, undefined, () => {
      if (told.kind === "ready" && process.connected) process.disconnect();
    });
  }
}

/** As a terminal shows it that waits for a start. */
export function startText(entry: LogEntry): string {
  return textLines(entry, new Date(systemWallClock()), { timestamps: false, colours: false }).join("\n");
}

/** @throws CliError */
function claim(name: string): void {
  const other = ownerOf(claimFile(name));
  if (other !== undefined) throw new CliError(`${name} is being started by another command (process ${other}).`, 1);
  claimPidFile(claimFile(name));
}
