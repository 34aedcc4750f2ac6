import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { Clock } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import { milliseconds, options, parseOptions } from "../options/validation.ts";
import type { ServiceNotices } from "../systemd/service-notices.ts";
import type { Descriptors } from "../upgrade/descriptors.ts";
import type { Estate } from "../upgrade/estate.ts";
import type { Predecessor } from "../upgrade/predecessor.ts";
import type { UpgradeReport } from "../upgrade/report.ts";
import { Successor } from "../upgrade/successor.ts";
import type { ClusterControl } from "./cluster-control.ts";
import type { ClusterLifetime } from "./cluster-lifetime.ts";
import type { Replaceable } from "./replaceable.ts";

export interface ClusterUpgradeOptions {
  readonly settings: Pick<ClusterSettings, "drainTimeoutMs">;
  /** Undefined: nobody knows how another primary is started in place of this one. */
  readonly replaceable: Replaceable | undefined;
  /** Collects what is handed over, and gives its descriptors away. */
  readonly estate: () => Promise<{ readonly estate: Estate; readonly descriptors: Descriptors }>;
  readonly isReloading: () => boolean;
  readonly lifetime: ClusterLifetime;
  readonly control: ClusterControl;
  readonly service: () => ServiceNotices | undefined;
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly clock: Clock;
}

export interface UpgradeTies {
  /** Takes what the other primary says while it starts. */
  readonly tell: (event: unknown) => void;
  /** Whoever has asked for it wants no more of it. */
  readonly signal: AbortSignal;
}

const argumentSchema = options({ timeoutMs: milliseconds(1_000) });

/** Both accept connections for so long, so that one that dies of its first requests leaves the other as it was. */
const standMs = 1_000;

/** Has another primary take the place of this one: either it has the cluster in the end, or all is as it was. */
export class ClusterUpgrade {
  readonly #options: ClusterUpgradeOptions;
  #isRunning = false;

  constructor(options: ClusterUpgradeOptions) {
    this.#options = options;
  }

  /**
   * @throws LbError `LB_UPGRADE`: the other one did not get so far, and has ended
   * @throws LbError `LB_UPGRADE_BUSY`: the last one is not over, or a reload goes on; `LB_UPGRADE_NONE`: this cluster has no command
   */
  async run(argument: unknown, { tell, signal }: UpgradeTies): Promise<UpgradeReport> {
    const { timeoutMs } = parseOptions(argumentSchema, argument ?? {}, "");
    const { settings, service, events, clock, lifetime } = this.#options;
    const replaceable = this.#replaceable();
    this.#isRunning = true;
    const startedAt = clock.now();
    events.emit("upgrade", { step: "started" });
    try {
      const successor = await this.#takenOver(replaceable, { timeoutMs, tell, signal });
      const durationMs = Math.round(clock.now() - startedAt);
      const pid = successor.pid!;
      events.emit("upgrade", { step: "finished", pid, durationMs });
      const told = service()?.handOver(pid);
      // Behind the answer to whoever has asked for it.
      setImmediate(() => void Promise.all([lifetime.cede(pid), told]).then(() => successor.letGo()));
      return { pid, before: process.pid, drainMs: settings.drainTimeoutMs, durationMs };
    } catch (error) {
      this.#isRunning = false;
      events.emit("upgrade", { step: "failed", error: error as LbError });
      throw error;
    }
  }

  /** Resolves when the other one has the cluster. */
  async #takenOver(
    { launch, succeeded }: Replaceable,
    { timeoutMs, tell, signal }: UpgradeTies & { readonly timeoutMs: number },
  ): Promise<Successor> {
    const { clock, control } = this.#options;
    const { estate, descriptors } = await this.#options.estate();
    const successor = new Successor({
      launch: launch(),
      estate,
      descriptors,
      clock,
      said: (said) => tell({ said }),
    });
    const late = clock.after(timeoutMs, () =>
      successor.giveUp(`it was not ready within ${timeoutMs / 1_000} s (--timeout)`),
    );
    const unwanted = () => successor.giveUp("whoever asked for it has left");
    signal.addEventListener("abort", unwanted, { once: true });
    if (signal.aborted) unwanted();
    try {
      await successor.reaches("ready");
      successor.accept();
      await successor.reaches("accepts");
      await successor.stands(standMs);
      successor.leaveAlone();
      await successor.reaches("found");
    } catch (error) {
      await successor.end();
      throw error;
    } finally {
      late.cancel();
      signal.removeEventListener("abort", unwanted);
    }
    control.leave();
    succeeded(successor.pid!, estate.lifeline === null ? undefined : successor.stream(estate.lifeline));
    return successor;
  }

  #replaceable(): Replaceable {
    const { replaceable, isReloading } = this.#options;
    if (replaceable === undefined) {
      const why = "This cluster is started by a program of its own, which calls cluster()";
      throw new LbError("LB_UPGRADE_NONE", `${why}: what \`lb start\` has started can be upgraded.`);
    }
    const before: Predecessor | undefined = replaceable.predecessor;
    if (this.#isRunning) throw new LbError("LB_UPGRADE_BUSY", "An upgrade goes on already.");
    if (before?.hasGone === false) {
      const remedy = "wait for its end, or end it";
      throw new LbError(
        "LB_UPGRADE_BUSY",
        `The primary before this one, process ${before.pid}, still drains: ${remedy}.`,
      );
    }
    if (isReloading()) throw new LbError("LB_UPGRADE_BUSY", "Instances are being replaced: wait until they are.");
    return replaceable;
  }
}
