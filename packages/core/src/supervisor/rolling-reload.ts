import type { Clock } from "../model/clock.ts";
import type { ReloadSettings } from "../options/reload-options.ts";
import type { Edition } from "./edition.ts";
import { ReloadError, type ReloadFailure } from "./reload-error.ts";
import { Replacement, type SuccessorChecks, type Trial } from "./replacement.ts";
import type { Slot } from "./slot.ts";

export interface ReloadProgress {
  /**
   * - `started`: the reload as a whole;
   * - `starting`: a new worker of this instance starts;
   * - `canary`: it is tried out, with its share of the requests;
   * - `routed`: it takes the instance's traffic;
   * - `watched`: it did well for `watchMs`;
   * - `replaced`: it stays, and the old worker drains;
   * - `rolled-back`: the reload failed, as the `error` says;
   * - `finished`: all old workers are gone.
   */
  readonly step: "started" | "starting" | "canary" | "routed" | "watched" | "replaced" | "rolled-back" | "finished";
  readonly instance?: number;
  /** Instances that have been replaced, of how many. */
  readonly done: number;
  readonly total: number;
  readonly error?: ReloadError;
}

export interface RollingReloadOptions {
  readonly slots: readonly Slot[];
  readonly settings: ReloadSettings;
  /** What the new workers are started as. Default: each as the one before it was. */
  readonly edition?: Edition | undefined;
  readonly sparePort: () => Promise<number>;
  readonly checks: SuccessorChecks;
  /** The first instance is tried out before anything is replaced. */
  readonly trial?: Trial | undefined;
  /**
   * With `rollback: "set"`: all new workers serve, and until this resolves the old ones stand by. Rejects with what takes all back.
   * `signal`: nobody waits for it any more.
   */
  readonly verdict?: ((slots: readonly Slot[], signal: AbortSignal) => Promise<void>) | undefined;
  /** Aborted: the cluster closes, and the reload is taken back. */
  readonly closing: AbortSignal;
  /** Aborted: so it is because somebody wants it. */
  readonly cancelled?: AbortSignal | undefined;
  readonly graceMs: number;
  readonly clock: Clock;
  readonly progress: (progress: ReloadProgress) => void;
}

/**
 * Replaces the workers of these slots. Resolves with the instances that were replaced, when the old workers are gone.
 *
 * @throws ReloadError when something is wrong with a new worker; what was not committed has been taken back by then
 */
export async function rollingReload(options: RollingReloadOptions): Promise<readonly number[]> {
  const reload = new RollingReload(options);
  const { closing, cancelled } = options;
  const close = () => reload.abort({ code: "LB_RELOAD_CLOSED", step: "start", what: "the cluster is closing" });
  const cancel = () => reload.abort({ code: "LB_RELOAD_CANCELLED", step: "start", what: "it was cancelled" });
  closing.addEventListener("abort", close);
  cancelled?.addEventListener("abort", cancel);
  try {
    if (cancelled?.aborted === true) cancel();
    return await run(reload, options);
  } finally {
    closing.removeEventListener("abort", close);
    cancelled?.removeEventListener("abort", cancel);
  }
}

async function run(reload: RollingReload, options: RollingReloadOptions): Promise<readonly number[]> {
  const { slots, settings } = options;
  reload.tell("started");
  const [first, ...rest] = slots;
  // A canary goes ahead alone.
  if (options.trial !== undefined && first !== undefined && !reload.failed) await reload.replace(first, options.trial);
  const queue = options.trial === undefined ? [...slots] : rest;
  const lanes = settings.maxUnavailable > 0 ? settings.maxUnavailable : settings.parallelism;
  await Promise.all(
    Array.from({ length: Math.min(lanes, queue.length) }, async () => {
      for (let slot = queue.shift(); slot !== undefined && !reload.failed; slot = queue.shift()) {
        await reload.replace(slot);
      }
    }),
  );
  return reload.finish();
}

class RollingReload {
  readonly #options: RollingReloadOptions;
  readonly #running = new Set<Replacement>();
  /** They have passed their watch, in the order in which they did. */
  readonly #passed: Replacement[] = [];
  #failure: { readonly failure: ReloadFailure; readonly instance?: number } | undefined;
  readonly #abandoned = new AbortController();

  constructor(options: RollingReloadOptions) {
    this.#options = options;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  tell(step: ReloadProgress["step"], more: Pick<ReloadProgress, "instance" | "error"> = {}): void {
    this.#options.progress({ step, ...more, done: this.#passed.length, total: this.#options.slots.length });
  }

  /** Somebody outside wants no more of it. */
  abort(failure: ReloadFailure): void {
    this.#failure ??= { failure };
    this.#abandoned.abort();
    for (const one of this.#running) one.abort(failure);
  }

  async replace(slot: Slot, trial?: Trial): Promise<void> {
    const { settings, edition, sparePort, checks, graceMs, clock } = this.#options;
    const replacement = new Replacement({
      slot,
      edition,
      sparePort,
      checks,
      trial,
      inPlace: settings.maxUnavailable > 0,
      watchMs: settings.watchMs,
      graceMs,
      clock,
      progress: (step) => this.tell(step, { instance: slot.id }),
    });
    this.#running.add(replacement);
    const failure = await replacement.run();
    this.#running.delete(replacement);
    if (failure !== undefined) {
      this.#failure ??= { failure, instance: slot.id };
      const what = `instance ${slot.id} failed`;
      for (const other of this.#running) other.abort({ code: "LB_RELOAD_ABORTED", step: "start", what });
      return;
    }
    this.#passed.push(replacement);
    if (settings.rollback === "set") return;
    replacement.commit();
    this.tell("replaced", { instance: slot.id });
  }

  async finish(): Promise<readonly number[]> {
    const { settings, slots } = this.#options;
    const rejected = settings.rollback === "set" && !this.failed ? await this.#rejection() : undefined;
    // Until all have passed, those that did may still fail.
    const late = this.#passed.find(({ failure }) => failure !== undefined);
    if (late !== undefined && settings.rollback === "set") {
      this.#failure ??= { failure: late.failure!, instance: late.slot.id };
    }
    if (this.#failure !== undefined) throw this.#rollBack(this.#failure);
    if (rejected !== undefined) throw this.#takeBack(rejected);
    for (const replacement of this.#passed) {
      if (settings.rollback !== "set") break;
      replacement.commit();
      this.tell("replaced", { instance: replacement.slot.id });
    }
    await Promise.all(slots.map((slot) => slot.settled()));
    this.tell("finished");
    return this.#passed.map(({ slot }) => slot.id).sort((one, other) => one - other);
  }

  /** What the verdict rejects with; undefined: nothing, or nobody waited for it. */
  async #rejection(): Promise<ReloadError | undefined> {
    const { verdict, slots } = this.#options;
    const { signal } = this.#abandoned;
    if (verdict === undefined || signal.aborted) return undefined;
    const abandoned = new Promise<undefined>((resolve) =>
      signal.addEventListener("abort", () => resolve(undefined), { once: true }),
    );
    const judged = verdict(slots, signal).then(
      () => undefined,
      (error: ReloadError) => error,
    );
    const result = await Promise.race([judged, abandoned]);
    // It may have a reload of others within it, which is to be back first.
    if (signal.aborted) await judged;
    return result;
  }

  #rollBack({ failure, instance }: { readonly failure: ReloadFailure; readonly instance?: number }): ReloadError {
    const stay = this.#options.settings.rollback === "instance" ? this.#passed.map(({ slot }) => slot.id) : [];
    return this.#takeBack(new ReloadError(failure, instance, stay));
  }

  #takeBack(error: ReloadError): ReloadError {
    if (error.replaced.length === 0) for (const replacement of this.#passed) replacement.revert();
    const { instance } = error;
    this.tell("rolled-back", instance === undefined ? { error } : { instance, error });
    return error;
  }
}
