/** What became of an upgrade: another primary has the cluster. */
export interface UpgradeReport {
  /** Its process. */
  readonly pid: number;
  /** The process that had it, and drains for so long at most. */
  readonly before: number;
  readonly drainMs: number;
  readonly durationMs: number;
}
