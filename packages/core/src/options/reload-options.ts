import * as v from "valibot";
import { OptionError } from "../model/errors.ts";
import { allFailures, type FailureCondition } from "../model/failure-conditions.ts";
import { failureConditions } from "./failure-condition-options.ts";
import { type EntriesOf, option } from "./option.ts";
import { type ReloadCheckOptions, type ReloadCheckSettings, reloadCheckSchema } from "./reload-check-options.ts";
import { milliseconds, oneOf, options, parseOptions, positiveNumber, share, wholeNumber } from "./validation.ts";

/** The options of `reload()`. */
export interface ReloadOptions {
  /** How many instances are replaced at the same time, each by a worker started beside it. Default 1. */
  readonly parallelism?: number;
  /**
   * How many instances may be missing at the same time. Default 0: each new worker starts before the old one ends. With
   * more, that many end first and start anew: no process more than before, but nothing to go back to if they fail.
   */
  readonly maxUnavailable?: number;
  /** How long a new instance must do well with all of its traffic until the old one is let go. Default 1,000. */
  readonly watchMs?: number;
  /**
   * What a failure takes back. `"instance"`, the default: that one instance; those replaced before it passed their
   * watch and stay. `"set"`: all of them, for which every old worker is kept until the last new one has passed; for
   * that time the machine holds twice the processes.
   */
  readonly rollback?: "instance" | "set";
  /**
   * Before anything is replaced, one new instance gets a share of the requests for a while. If it does worse than the
   * others, the reload fails; with too few requests to tell, it goes on.
   */
  readonly canary?: CanaryOptions;
  /**
   * What each new instance has to answer, once all of them have the traffic, before the old ones are let go; if one does not, all are
   * taken back. It needs `rollback: "set"`, which is the default where it is given.
   */
  readonly check?: ReloadCheckOptions;
  /** Aborted: what has not been let go is taken back, and the reload rejects with `LB_RELOAD_CANCELLED`. */
  readonly signal?: AbortSignal;
}

export interface CanaryOptions {
  /** The part of the new requests that goes to the new instance. Default 0.05. */
  readonly share?: number;
  /** For how long, in milliseconds. Default 60,000. */
  readonly forMs?: number;
  /** What counts as a failure. Default `["connect", "reset", "timeout", "invalid-response", "5xx"]`. */
  readonly on?: readonly FailureCondition[];
  /** It is worse if it fails more often than the others by more than this. Default 0.01: one in a hundred requests. */
  readonly maxErrorRateIncrease?: number;
  /**
   * It is worse if it answers 4xx more often than the others by more than this. Default 0.1: a version may validate more
   * strictly, but what answers 404 to every tenth request that others serve has lost something. 1: never.
   */
  readonly maxClientErrorRateIncrease?: number;
  /** It is worse if it takes longer than the others by more than this part. Default 0.5: half as long again. */
  readonly maxLatencyIncrease?: number;
  /** With fewer requests on either side nothing is concluded. Default 50. */
  readonly minRequests?: number;
}

const shareRemedy = "give a share greater than 0 and less than 1";

export const canarySchema = options({
  share: option(
    v.pipe(v.number(shareRemedy), v.gtValue(0, shareRemedy), v.ltValue(1, shareRemedy)),
    0.05,
    "the part of the new requests that goes to it",
  ),
  forMs: option(milliseconds(1), 60_000, "for how long"),
  on: option(failureConditions, allFailures, "what counts as a failure"),
  maxErrorRateIncrease: option(share(), 0.01, "worse, if it fails more often than the others by more than this"),
  maxClientErrorRateIncrease: option(
    share(),
    0.1,
    "worse, if it answers 4xx more often by more than this; 1: is not judged by that",
  ),
  maxLatencyIncrease: option(positiveNumber(), 0.5, "worse, if it takes longer by more than this part"),
  minRequests: option(wholeNumber(1), 50, "with fewer on either side nothing is concluded"),
} satisfies EntriesOf<CanaryOptions>);

export const reloadSchema = options({
  parallelism: option(wholeNumber(1, 1_024), 1, "instances replaced at a time, each by one started beside it"),
  maxUnavailable: option(wholeNumber(0, 1_024), 0, "so many end first and start anew: no process more than before"),
  watchMs: option(milliseconds(0), 1_000, "how long a new instance must do well until the old one is let go"),
  rollback: option(oneOf(["instance", "set"]), "instance", 'what a failure takes back; `"set"`: all of them'),
  canary: option(canarySchema, undefined, "one new instance is tried out first", { otherwise: "none" }),
  check: option(
    reloadCheckSchema,
    undefined,
    'what each new instance has to answer before the old ones are let go; with `rollback: "set"`',
    { otherwise: "none" },
  ),
  signal: option(
    v.instance(AbortSignal, "give an AbortSignal") as unknown as v.GenericSchema<never, AbortSignal>,
    undefined,
    "aborted, it takes back what has not been let go",
    { otherwise: "none" },
  ),
} satisfies EntriesOf<ReloadOptions>);

/** {@link ReloadOptions} without its parts, checked and completed. */
export type ReloadSettings = Required<Omit<ReloadOptions, "canary" | "check" | "signal">>;

/** {@link CanaryOptions}, checked and completed. */
export type CanarySettings = Required<CanaryOptions>;

/** @throws OptionError */
export function parseReloadOptions(input: ReloadOptions): {
  readonly settings: ReloadSettings;
  readonly canary: CanarySettings | undefined;
  readonly check: ReloadCheckSettings | undefined;
  readonly signal: AbortSignal | undefined;
} {
  const { canary, check, signal, ...settings } = parseOptions(reloadSchema, input, "");
  if (check === undefined) return { settings, canary, check, signal };
  if (input.rollback !== undefined && input.rollback !== "set") {
    throw new OptionError(
      "rollback",
      input.rollback,
      'the check is of all new instances together: leave it out, or give "set"',
    );
  }
  return { settings: { ...settings, rollback: "set" }, canary, check, signal };
}
