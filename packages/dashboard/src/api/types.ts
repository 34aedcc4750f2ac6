import type { ClusterStatus, LogEntry } from "@lb/core";

export type { ClusterStatus, InstanceState, InstanceStatus, OutputLine, RequestsStatus } from "@lb/core";
export type BackendStatus = ClusterStatus["backends"][number];
export type ReloadStatus = NonNullable<ClusterStatus["reload"]>;
export type LatencyStatus = ClusterStatus["traffic"]["total"]["totalMs"];

/** One span of `/api/history`. */
export interface HistorySpan {
  /** When it ended, in milliseconds since 1970-01-01 UTC. */
  readonly at: number;
  readonly ms: number;
  readonly requests: number;
  readonly failures: number;
  readonly requestsPerSecond: number;
  readonly totalMs: LatencyStatus;
  readonly inFlight: number;
  readonly waiting: number;
  readonly connections: number;
  readonly cpu: number;
  readonly rssBytes: number;
  readonly loopLagMs: number;
}

/** One entry of `/api/events`. */
export interface TimedEntry extends LogEntry {
  readonly id: number;
  /** In milliseconds since 1970-01-01 UTC. */
  readonly at: number;
}
