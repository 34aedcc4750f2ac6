import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { OptionError } from "../model/errors.ts";
import type { ChangedBy } from "../options/change-rules.ts";
import type { ClusterOptions } from "../options/cluster-options.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { OptionChange } from "../options/option-changes.ts";
import { ApplyError, type ApplyOptions, type ApplyReport } from "./apply-report.ts";
import type { ClusterOperations } from "./cluster-operations.ts";
import type { Denials } from "./denials.ts";
import type { Environment } from "./environment.ts";
import type { NamedBackends } from "./named-backends.ts";
import type { GivenOptions, OptionsInForce } from "./options-in-force.ts";
import { brokenReferences } from "./references.ts";
import type { Traffic } from "./traffic.ts";

/** What is made of options, and what is wrong with them. */
export interface OptionReading {
  parse(options: ClusterOptions): ClusterSettings;
  errors(options: ClusterOptions): readonly OptionError[];
}

export interface OptionApplierOptions {
  readonly reading: OptionReading;
  readonly inForce: OptionsInForce;
  readonly traffic: Traffic;
  readonly backends: NamedBackends;
  readonly denials: Denials;
  readonly environment: Environment;
  readonly operations: ClusterOperations;
  readonly log: (settings: ClusterSettings["log"]) => void;
  readonly events: ClusterEvents<ClusterEventMap>;
}

/** Has a cluster go by other options while it runs: all of them or none. */
export class OptionApplier {
  readonly #options: OptionApplierOptions;
  /** Ends when nobody applies anything. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: OptionApplierOptions) {
    this.#options = options;
  }

  /** `others`: what is different besides. @throws ApplyError; ReloadError for a reload that failed: all else is in force then */
  apply(given: GivenOptions, how: ApplyOptions = {}, others: readonly OptionChange[] = []): Promise<ApplyReport> {
    const applied = this.#turn.then(() => this.#apply(given, how, others));
    this.#turn = applied.catch(() => {});
    return applied;
  }

  async #apply(
    { options, as }: GivenOptions,
    { dryRun = false, reload = false }: ApplyOptions,
    others: readonly OptionChange[],
  ): Promise<ApplyReport> {
    const { inForce, operations, environment, events } = this.#options;
    const settings = this.#checked(options);
    const changes = [...inForce.changes(as), ...others];
    if (dryRun || changes.length === 0) return { changes, applied: !dryRun, reloaded: null };
    refuse(changes, "upgrade");
    if (!reload) refuse(changes, "reload");
    await this.#putInForce(settings);
    inForce.adopt(settings, as);
    environment.use(settings);
    events.emit("options-applied", { changes });
    const reloaded = changes.some(({ by }) => by === "reload") ? await operations.reload() : null;
    return { changes, applied: true, reloaded };
  }

  /** @throws ApplyError `LB_CONFIG` with all that is wrong */
  #checked(options: ClusterOptions): ClusterSettings {
    const { reading } = this.#options;
    const errors = reading.errors(options).map(({ message }) => message);
    if (errors.length > 0) throw wrong(errors);
    const settings = reading.parse(options);
    const broken = brokenReferences(settings).map(({ option, what }) => `Option "${option}": ${what}`);
    if (broken.length > 0) throw wrong(broken);
    return settings;
  }

  /** What can fail comes first: what it names may have gone since it was looked at. */
  async #putInForce(settings: ClusterSettings): Promise<void> {
    const { inForce, traffic, backends, denials, operations, log } = this.#options;
    const { https } = settings.front;
    const before = inForce.settings.front.https;
    const certificates = https === false ? [] : https.certificates;
    const changed = before !== false && JSON.stringify(before.certificates) !== JSON.stringify(certificates);
    const change = backends.prepare(settings.backends);
    if (changed) await operations.setCertificates(certificates);
    traffic.use(settings);
    change();
    denials.use(settings.front.denyList);
    log(settings.log);
  }
}

function refuse(changes: readonly OptionChange[], by: Exclude<ChangedBy, "in place">): void {
  const those = changes.filter((change) => change.by === by).map(({ option }) => option);
  if (those.length === 0) return;
  const code = by === "upgrade" ? "LB_NEEDS_UPGRADE" : "LB_NEEDS_RELOAD";
  const needs =
    by === "upgrade" ? "a new primary (lb upgrade)" : "the instances started anew (--reload, or { reload: true })";
  throw new ApplyError(
    code,
    `Nothing was changed: ${those.join(", ")} ${those.length === 1 ? "needs" : "need"} ${needs}.`,
    changes,
  );
}

function wrong(errors: readonly string[]): ApplyError {
  return new ApplyError("LB_CONFIG", ["Nothing was changed: the options cannot be used.", ...errors].join("\n"));
}
