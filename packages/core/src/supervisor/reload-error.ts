import { LbError } from "../model/errors.ts";

/** What a replacement had got to when it failed. */
export type ReloadStep = "environment" | "start" | "verify" | "canary" | "watch" | "check";

export interface ReloadFailure {
  readonly code:
    | "LB_RELOAD_ENVIRONMENT"
    | "LB_RELOAD_START"
    | "LB_RELOAD_CRASHED"
    | "LB_RELOAD_UNHEALTHY"
    | "LB_RELOAD_CANARY"
    | "LB_RELOAD_CHECK"
    | "LB_RELOAD_CANCELLED"
    | "LB_RELOAD_CLOSED"
    | "LB_RELOAD_ABORTED";
  readonly step: ReloadStep;
  /** What was wrong, as the middle of a sentence. */
  readonly what: string;
  readonly cause?: Error;
}

/**
 * A reload came to nothing. `code`:
 * - `LB_RELOAD_ENVIRONMENT`: the files of `envFile` cannot be used, or what the function `env` threw; the `cause` is that error;
 * - `LB_RELOAD_START`: a new instance did not become ready; the `cause` says why;
 * - `LB_RELOAD_CRASHED`: something ended it before it was ready, or it ended while it was watched;
 * - `LB_RELOAD_UNHEALTHY`: its health checks failed, or it was ejected while it was watched;
 * - `LB_RELOAD_CANARY`: it did worse than the old ones with its share of the requests;
 * - `LB_RELOAD_CHECK`: one of the new instances did not answer as the option `check` says;
 * - `LB_RELOAD_CANCELLED`: the option `signal` was aborted;
 * - `LB_RELOAD_CLOSED`: the cluster was closed meanwhile.
 */
export class ReloadError extends LbError {
  readonly step: ReloadStep;
  /** The instance that failed, 1…N; undefined: none was started. */
  readonly instance: number | undefined;
  /** Instances that run anew all the same, because they were replaced before; empty if all was rolled back. */
  readonly replaced: readonly number[];

  constructor(failure: ReloadFailure, instance: number | undefined, replaced: readonly number[] = []) {
    const rest =
      replaced.length === 0
        ? "Nothing was replaced: the instances from before go on serving."
        : `Instances ${replaced.join(", ")} had been replaced and stay; the others go on serving as they were.`;
    const where = instance === undefined ? "" : ` at instance ${instance}`;
    super(failure.code, `The reload failed${where}: ${failure.what.replace(/\.+$/, "")}. ${rest}`, {
      cause: failure.cause,
    });
    this.step = failure.step;
    this.instance = instance;
    this.replaced = replaced;
  }
}
