import * as v from "valibot";
import type { ReloadSettings } from "./supervisor/rolling-reload.ts";
import { milliseconds, oneOf, options, parseOptions, wholeNumber } from "./validation.ts";

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
}

const schema = options({
  parallelism: v.optional(wholeNumber(1, 1_024), 1),
  maxUnavailable: v.optional(wholeNumber(0, 1_024), 0),
  watchMs: v.optional(milliseconds(0), 1_000),
  rollback: v.optional(oneOf(["instance", "set"]), "instance"),
});

/** @throws OptionError */
export function parseReloadOptions(input: ReloadOptions): ReloadSettings {
  return parseOptions(schema, input, "");
}
