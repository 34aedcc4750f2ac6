import type { Clock, Timer } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Edition } from "./edition.ts";
import type { ReloadFailure, ReloadStep } from "./reload-error.ts";
import type { Slot } from "./slot.ts";
import type { SuccessorFailure } from "./succession.ts";

/** How a new instance is judged, by whoever knows of its health and its requests. */
export interface SuccessorChecks {
  /** Resolves when it is found healthy, before it gets any traffic; rejects if it is not in time. */
  verify(endpoint: Endpoint): Promise<void>;
  /** Calls `unhealthy` as soon as its health keeps traffic from it. Returns the call that ends the watch. */
  watch(endpoint: Endpoint, unhealthy: (why: string) => void): () => void;
}

/** The canary's part of a replacement: tells what share the successor gets, and what came of it. */
export interface Trial {
  readonly forMs: number;
  /** Before the successor gets traffic. */
  begin(endpoint: Endpoint): void;
  /** After it had its time. Undefined: it may go on; else what was worse. */
  judge(): string | undefined;
  /** However it ends: the share is taken back. */
  end(): void;
}

export interface ReplacementOptions {
  readonly slot: Slot;
  /** What the successor is started as. Default: as the one before it was. */
  readonly edition?: Edition | undefined;
  readonly sparePort: () => Promise<number>;
  readonly checks: SuccessorChecks;
  readonly trial?: Trial | undefined;
  /** The one that serves ends before the other starts. */
  readonly inPlace: boolean;
  readonly watchMs: number;
  /** For those that are drained. */
  readonly graceMs: number;
  readonly clock: Clock;
  readonly progress: (step: "starting" | "canary" | "routed" | "watched") => void;
}

/** Thrown inside, to get out of whatever is awaited. */
class Failed extends Error {
  readonly failure: ReloadFailure;

  constructor(failure: ReloadFailure) {
    super(failure.what);
    this.failure = failure;
  }
}

/**
 * Replaces the worker of one slot by a new one of the same program: started beside the old one, found ready and
 * healthy, given the slot's traffic and watched, while the old one stands by. Settled by `commit` or `revert`.
 */
export class Replacement {
  readonly slot: Slot;
  readonly #options: ReplacementOptions;
  #step: ReloadStep = "start";
  #failed: ((failure: ReloadFailure) => void) | undefined;
  #failure: ReloadFailure | undefined;
  #settled = false;

  constructor(options: ReplacementOptions) {
    this.slot = options.slot;
    this.#options = options;
  }

  /** Resolves with the failure, when the slot is back with whoever had it; with nothing when all is well so far. */
  async run(): Promise<ReloadFailure | undefined> {
    try {
      await this.#proceed();
      return this.#failure;
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      this.revert();
      return error.failure;
    }
  }

  /** What failed since `run` resolved. */
  get failure(): ReloadFailure | undefined {
    return this.#failure;
  }

  /** Makes `run` come to its end as a failure. */
  abort({ code, what }: ReloadFailure): void {
    this.#fail({ code, step: this.#step, what });
  }

  commit(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.slot.commit(this.#options.graceMs);
  }

  revert(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.slot.revert(this.#options.graceMs);
  }

  async #proceed(): Promise<void> {
    const { slot, checks, trial, progress, sparePort } = this.#options;
    if (this.#options.inPlace) await this.#orFailure(slot.vacate(this.#options.graceMs));
    const port = slot.portIsHeld ? await this.#orFailure(sparePort()) : slot.port;
    const endpoint = await this.#started(port);
    this.#step = "verify";
    await this.#orFailure(checks.verify(endpoint).catch((error: Error) => this.#unhealthy(error.message)));
    if (trial !== undefined) await this.#tried(endpoint, trial);
    this.#step = "watch";
    slot.promote();
    progress("routed");
    await this.#watched(endpoint, this.#options.watchMs);
    // Its channel broke, and the slot is back with whoever had it: how its process ends is told in a moment.
    if (!slot.isPromoted) await this.#orFailure(new Promise<never>(() => {}));
    progress("watched");
  }

  #started(port: number): Promise<Endpoint> {
    const { slot, edition, progress } = this.#options;
    const started = new Promise<Endpoint>((resolve) => {
      const observer = {
        ready: () => resolve(endpoint),
        failed: (failure: SuccessorFailure) => this.#fail(described(failure, this.#step)),
      };
      const endpoint: Endpoint = slot.startSuccessor(port, observer, edition);
    });
    progress("starting");
    return this.#orFailure(started);
  }

  async #tried(endpoint: Endpoint, trial: Trial): Promise<void> {
    this.#step = "canary";
    trial.begin(endpoint);
    this.slot.tryOut();
    this.#options.progress("canary");
    try {
      await this.#watched(endpoint, trial.forMs);
      const worse = trial.judge();
      if (worse !== undefined) throw new Failed({ code: "LB_RELOAD_CANARY", step: "canary", what: worse });
    } finally {
      trial.end();
    }
  }

  async #watched(endpoint: Endpoint, ms: number): Promise<void> {
    const { checks, clock } = this.#options;
    let timer: Timer | undefined;
    const stop = checks.watch(endpoint, (why) => this.#fail(this.#unhealthyFor(why)));
    try {
      await this.#orFailure(
        new Promise<void>((resolve) => {
          timer = clock.after(ms, resolve, { keepAlive: true });
        }),
      );
    } finally {
      timer?.cancel();
      stop();
    }
  }

  /** What `step` resolves with, or the failure that comes first. */
  async #orFailure<T>(step: Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw new Failed(this.#failure);
    const failed = new Promise<never>((_, reject) => {
      this.#failed = (failure) => reject(new Failed(failure));
    });
    try {
      return await Promise.race([step, failed]);
    } finally {
      this.#failed = undefined;
    }
  }

  #fail(failure: ReloadFailure): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#failed?.(failure);
  }

  #unhealthy(why: string): never {
    throw new Failed(this.#unhealthyFor(why));
  }

  #unhealthyFor(why: string): ReloadFailure {
    return { code: "LB_RELOAD_UNHEALTHY", step: this.#step, what: `its new worker is not healthy (${why})` };
  }
}

function described(failure: SuccessorFailure, step: ReloadStep): ReloadFailure {
  switch (failure.kind) {
    case "not-started":
      return { code: "LB_RELOAD_START", step, what: failure.error.message, cause: failure.error };
    case "exited": {
      const { exitCode, signal, spawnError } = failure.exit;
      const how = spawnError?.message ?? (signal === null ? `exit code ${exitCode}` : signal);
      const when = step === "start" ? "before it was ready" : "soon after it was ready";
      return { code: "LB_RELOAD_CRASHED", step, what: `its new worker ended ${when} (${how})` };
    }
    case "retired":
      return { code: "LB_RELOAD_CRASHED", step, what: "its new worker was asked to end by a signal" };
    case "stopped":
      return { code: "LB_RELOAD_CLOSED", step, what: "the cluster is closing" };
  }
}
