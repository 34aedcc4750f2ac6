import { constants } from "node:os";
import { unended } from "../log/words.ts";
import type { Clock } from "../model/clock.ts";
import { LbError, OptionError } from "../model/errors.ts";
import { maxInstances } from "../options/autoscale-options.ts";
import type { Variables } from "../options/environment-options.ts";
import type { ReloadCheckSettings } from "../options/reload-check-options.ts";
import { parseReloadOptions, type ReloadOptions, type ReloadSettings } from "../options/reload-options.ts";
import { parseOptions, wholeNumber } from "../options/validation.ts";
import { changedVariables, type Edition } from "../supervisor/edition.ts";
import { ReloadError } from "../supervisor/reload-error.ts";
import type { SuccessorChecks } from "../supervisor/replacement.ts";
import { type ReloadProgress, type RollingReloadOptions, rollingReload } from "../supervisor/rolling-reload.ts";
import type { Slot } from "../supervisor/slot.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { Turns } from "../supervisor/turns.ts";
import { CanaryTrial } from "./canary-trial.ts";
import type { Editions } from "./editions.ts";
import type { Environment } from "./environment.ts";
import type { InstancesInTraffic } from "./group-traffic.ts";
import type { InstanceGroup } from "./instance-group.ts";
import { oneWaiting } from "./one-waiting.ts";
import { checkInstances } from "./reload-check.ts";
import type { ReloadReport } from "./reload-report.ts";

export interface GroupOperationsOptions {
  /** Whose program they run; undefined: it is the app. */
  readonly backend: string | undefined;
  /** Requests go to them. */
  readonly serves: boolean;
  readonly supervisor: Supervisor;
  readonly editions: Editions;
  readonly environment: Environment;
  readonly traffic: InstancesInTraffic;
  readonly checks: SuccessorChecks;
  readonly drainTimeoutMs: number;
  readonly clock: Clock;
  readonly progress: (progress: ReloadProgress) => void;
}

/** What a reload has to do with those of other groups. */
export interface ReloadTurn {
  /** Its turn has come. */
  readonly began?: () => void;
  /** The variables for the new workers. Default: as they are when its turn has come. */
  readonly environment?: () => Promise<Variables>;
  /** With `rollback: "set"`: what has to be done as well before the old ones are let go. Rejects with a ReloadError. */
  readonly alsoBefore?: () => Promise<void>;
}

/** What an operator does to the instances of one group. Whatever starts or ends them takes turns. */
export class GroupOperations implements InstanceGroup {
  readonly #options: GroupOperationsOptions;
  readonly #turns = new Turns();
  readonly #closing = new AbortController();

  constructor(options: GroupOperationsOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.backend ?? "app";
  }

  /** Nothing begins any more. */
  get closing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** What everything else waits for. */
  first(start: () => Promise<void>): Promise<void> {
    return this.#named(this.#turns.take(start));
  }

  reload(options: ReloadOptions = {}, turn: ReloadTurn = {}): Promise<ReloadReport> {
    return this.#named(this.#reload(options, turn));
  }

  /** A reload that nobody awaits. */
  readonly reloadSoon: () => void = oneWaiting((began) => this.reload({}, { began }));

  restart(id: number): Promise<void> {
    return this.#named(this.#restart(id));
  }

  scale(instances: number): Promise<void> {
    return this.#named(this.#scale(instances));
  }

  drain(id: number): Promise<void> {
    return this.#named(this.#drain(id));
  }

  resume(id: number): void {
    this.#closing.signal.throwIfAborted();
    this.#slot(id).hold(false);
  }

  signal(signal: NodeJS.Signals, id?: number): readonly number[] {
    if (!Object.hasOwn(constants.signals, signal)) {
      throw new OptionError("signal", signal, 'give the name of a signal that there is here, e.g. "SIGUSR2"');
    }
    const slots = id === undefined ? this.#options.supervisor.slots : [this.#slot(id)];
    return slots.filter(({ occupant }) => occupant?.signal(signal)).map((slot) => slot.id);
  }

  send(id: number, message: unknown): boolean {
    return this.#slot(id).occupant?.send(message) ?? false;
  }

  /** What runs is taken back, and nothing else begins. */
  close(reason: Error): void {
    this.#turns.close(reason);
    this.#closing.abort(reason);
    this.#options.supervisor.abandonStart();
  }

  async #reload(options: ReloadOptions, { began, environment, alsoBefore }: ReloadTurn): Promise<ReloadReport> {
    const { settings, canary, check, signal } = parseReloadOptions(options);
    const { supervisor, serves, editions, traffic, clock } = this.#options;
    // Where no requests are, there is no share of them.
    const trial = canary && serves ? new CanaryTrial({ settings: canary, traffic, clock }) : undefined;
    return this.#turns.take(async () => {
      began?.();
      const before = editions.current;
      const edition = await this.#nextEdition(environment);
      const report = await this.#roll(supervisor.slots, settings, {
        trial,
        edition,
        cancelled: signal,
        verdict: async (slots, abandoned) => {
          if (check !== undefined) await this.#check(check, slots, abandoned);
          await alsoBefore?.();
        },
      });
      editions.adopt(edition);
      const changed = changedVariables(before, edition);
      return changed.length === 0 ? report : { ...report, changed };
    });
  }

  /** Of instances that get no requests nothing is asked. */
  #check(settings: ReloadCheckSettings, slots: readonly Slot[], signal: AbortSignal): Promise<void> {
    const { traffic, clock } = this.#options;
    const newest = slots.flatMap((slot) => slot.ableToServe.slice(0, 1));
    const places = newest.flatMap((endpoint) => {
      const address = traffic.directAddress(endpoint);
      return address === undefined ? [] : [{ slot: endpoint.slot, address }];
    });
    return checkInstances({ settings, places, clock, signal });
  }

  /** Before anything is started: what cannot be read replaces nothing. */
  async #nextEdition(environment = () => this.#options.environment.read()): Promise<Edition> {
    const { editions, supervisor, progress } = this.#options;
    try {
      return editions.next(await environment());
    } catch (cause) {
      const what = unended(cause instanceof Error ? cause.message : String(cause));
      const failure = { code: "LB_RELOAD_ENVIRONMENT", step: "environment", what } as const;
      const error = new ReloadError(cause instanceof Error ? { ...failure, cause } : failure, undefined);
      progress({ step: "rolled-back", done: 0, total: supervisor.size, error });
      throw error;
    }
  }

  async #restart(id: number): Promise<void> {
    this.#slot(id);
    await this.#turns.take(() => this.#roll([this.#slot(id)], restartSettings));
  }

  async #scale(instances: number): Promise<void> {
    const size = parseOptions(wholeNumber(1, maxInstances), instances, "instances");
    const { supervisor, drainTimeoutMs } = this.#options;
    await this.#turns.take(async () => {
      if (supervisor.size === 0) throw new LbError("LB_NO_APP", "There is no app here that could have instances.");
      await supervisor.scale(size, drainTimeoutMs);
    });
  }

  async #drain(id: number): Promise<void> {
    this.#closing.signal.throwIfAborted();
    const { supervisor, serves, traffic } = this.#options;
    const slot = this.#slot(id);
    if (!serves) {
      const remedy = "To end one, scale it down; to have it do nothing for a while, send it a signal that it knows.";
      throw new LbError(
        "LB_NO_TRAFFIC",
        `Instances of ${this.name} get no requests that could be kept from them. ${remedy}`,
      );
    }
    const others = supervisor.slots.some((other) => other !== slot && other.endpoints.length > 0);
    if (!slot.held && !others) {
      const remedy = "Resume or start another one first.";
      throw new LbError("LB_LAST_INSTANCE", `Instance ${id} is the only one that takes traffic. ${remedy}`);
    }
    const { endpoint } = slot.snapshot();
    slot.hold(true);
    if (endpoint !== undefined) await traffic.settled(endpoint);
  }

  async #roll(
    slots: readonly Slot[],
    how: ReloadSettings,
    {
      trial,
      ...more
    }: Pick<RollingReloadOptions, "edition" | "verdict" | "cancelled"> & { trial?: CanaryTrial | undefined } = {},
  ): Promise<ReloadReport> {
    const { supervisor, checks, drainTimeoutMs, clock, progress } = this.#options;
    const startedAt = clock.now();
    // Who has done its work does it once more; there is nobody to be replaced.
    const done = slots.filter(({ isDone }) => isDone);
    for (const slot of done) slot.restart(more.edition);
    const replaced = await rollingReload({
      slots: slots.filter((slot) => !done.includes(slot)),
      settings: how,
      ...more,
      sparePort: () => supervisor.sparePort(),
      checks,
      trial,
      closing: this.#closing.signal,
      graceMs: drainTimeoutMs,
      clock,
      progress,
    });
    const again = done.map(({ id }) => id);
    const report = { replaced: [...again, ...replaced], durationMs: Math.round(clock.now() - startedAt) };
    return trial?.report === undefined ? report : { ...report, canary: trial.report };
  }

  #slot(id: number): Slot {
    const { slots } = this.#options.supervisor;
    const slot = slots[id - 1];
    if (slot !== undefined) return slot;
    const whose = this.#options.backend === undefined ? "" : ` of ${this.name}`;
    throw new OptionError("id", id, `give the number of an instance${whose}, from 1 to ${slots.length}`);
  }

  /** What goes wrong says of which backend it is. */
  async #named<T>(done: Promise<T>): Promise<T> {
    try {
      return await done;
    } catch (error) {
      const isOurs =
        error instanceof LbError && !(error instanceof OptionError) && error !== this.#closing.signal.reason;
      if (isOurs && this.#options.backend !== undefined) error.message = `${this.name}: ${error.message}`;
      throw error;
    }
  }
}

/** Single instances are never worth a watch shorter than what a crash at the first requests takes to show. */
const restartSettings: ReloadSettings = Object.freeze({
  parallelism: 1,
  maxUnavailable: 0,
  watchMs: 1_000,
  rollback: "instance",
});
