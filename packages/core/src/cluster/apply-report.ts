import { LbError } from "../model/errors.ts";
import type { OptionChange } from "../options/option-changes.ts";
import type { ClusterReloadReport } from "./reload-report.ts";

export interface ApplyOptions {
  /** Says what would change, and changes nothing. Default false. */
  readonly dryRun?: boolean;
  /** Replaces the instances, one after the other, where an option wants that. Default false: such options are refused. */
  readonly reload?: boolean;
}

/** What came of other options. */
export interface ApplyReport {
  /** What is different, and how it came into force. */
  readonly changes: readonly OptionChange[];
  /** `false`: it was a dry run. */
  readonly applied: boolean;
  /** `null`: nothing was to be reloaded. */
  readonly reloaded: ClusterReloadReport | null;
}

/**
 * Options cannot be put in force in this way, and nothing has changed.
 *
 * - `LB_NEEDS_UPGRADE`: the primary has to be started anew for them;
 * - `LB_NEEDS_RELOAD`: the instances have, and it was not asked for;
 * - `LB_CONFIG`: they cannot be used.
 */
export class ApplyError extends LbError {
  /** All that is different, as far as that is known. */
  readonly changes: readonly OptionChange[];

  constructor(
    code: "LB_NEEDS_UPGRADE" | "LB_NEEDS_RELOAD" | "LB_CONFIG",
    message: string,
    changes: readonly OptionChange[] = [],
  ) {
    super(code, message);
    this.changes = changes;
  }
}
