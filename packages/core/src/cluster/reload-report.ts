import type { CanaryReport } from "../supervisor/canary-judge.ts";

/** What a reload did. */
export interface ReloadReport {
  /** Instances that run anew, 1…N. */
  readonly replaced: readonly number[];
  readonly durationMs: number;
  /** Names of variables that the new ones find changed in their environment, if there are any. */
  readonly changed?: readonly string[];
  /** What the canary was judged by, if there was one. */
  readonly canary?: CanaryReport;
}

/** What a reload of all there is did; what stands above `backends` is of the app. */
export interface ClusterReloadReport extends ReloadReport {
  /** Of the programs beside the app, by the names of their backends; absent where there are none. */
  readonly backends?: Readonly<Record<string, ReloadReport>>;
}
