import type { StepResult } from "./run-step.ts";

/** What became of it. `cut-off`: whoever deployed was killed. */
export type DeployOutcome = "running" | "deployed" | "failed" | "rolled-back" | "interrupted" | "cut-off";

/** One deploy, or one return to a release before, as it is kept. */
export interface DeployRecord {
  readonly id: string;
  readonly kind: "deploy" | "rollback";
  /** ISO 8601. */
  readonly startedAt: string;
  readonly ms: number;
  readonly outcome: DeployOutcome;
  readonly by: string;
  /** What is deployed, where that is a working copy of git. */
  readonly commit: Commit | null;
  readonly commitBefore: Commit | null;
  /** With release directories: the one that was made, or returned to, and the one before. */
  readonly release: string | null;
  readonly releaseBefore: string | null;
  readonly steps: readonly StepResult[];
  /** Instances that were replaced. */
  readonly replaced: number;
  /** What failed: a step's name, `"reload"`, `"check"`, `"release"`; and why. */
  readonly failed: { readonly at: string; readonly why: string } | null;
}

export interface Commit {
  readonly hash: string;
  readonly subject: string;
}

/** As a person looks for it: when it began, in UTC. */
export function deployId(now: Date): string {
  return now
    .toISOString()
    .replace(/[-:]/g, "")
    .replace(/^(\d{8})T(\d{6}).*/, "$1-$2");
}
