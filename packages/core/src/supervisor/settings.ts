import { allFailures, type FailureCondition } from "../model/failure-conditions.ts";
export interface RestartOptions {
  /** Pause before the second restart in a row, in milliseconds; each further one doubles it. The first is immediate. */
  readonly delayMs: number;
  /** Longest pause between two restarts. */
  readonly maxDelayMs: number;
  /** A worker that served this long before it died is stable: its death starts a new count. */
  readonly stableAfterMs: number;
  /** More deaths in a row than this, none of them of a stable worker, are a crash loop. */
  readonly maxCrashes: number;
  /** Pause between restarts in a crash loop. */
  readonly crashLoopDelayMs: number;
}

export interface HeartbeatSettings {
  /** How often each worker tells how it is. */
  readonly intervalMs: number;
  /** One that has been silent for so long gets no new traffic until it speaks again. */
  readonly outAfterMs: number;
  /** One that has been silent for so long is killed and replaced. */
  readonly killAfterMs: number;
}

export const heartbeatDefaults: HeartbeatSettings = Object.freeze({
  intervalMs: 1_000,
  outAfterMs: 3_000,
  killAfterMs: 30_000,
});

/** How many instances start at the same time; `"first"`: the first one alone, then all the others. */
export type StartParallelism = number | "all" | "first";

/** Where instances listen for direct traffic, unless asked: nothing of theirs is reachable from outside. */
export const defaultWorkerHost = "127.0.0.1";

/** How the instances are replaced, one after the other or several at a time. */
export interface ReloadSettings {
  /** Instances that are replaced at the same time, each by a worker started beside it. */
  readonly parallelism: number;
  /**
   * Instances that may be missing at the same time. 0: each new worker starts before the old one ends. More: that many
   * end first and start anew, without a process more than before, and with nothing to go back to if they fail.
   */
  readonly maxUnavailable: number;
  /** How long a new instance must do well with all of its traffic before the old one is let go. */
  readonly watchMs: number;
  /**
   * What a failure takes back. `"instance"`: that one instance; those replaced before it passed their watch and stay.
   * `"set"`: all of them, for which every old worker is kept until the last new one has passed.
   */
  readonly rollback: "instance" | "set";
}

/** How a canary is tried out, and what counts as worse. */
export interface CanarySettings {
  /** Of the new requests, the part that the canary gets. */
  readonly share: number;
  readonly forMs: number;
  /** What is counted as a failure. */
  readonly on: readonly FailureCondition[];
  /** More failures than the others have, as a difference of the two rates: 0.01 is one more in a hundred requests. */
  readonly maxErrorRateIncrease: number;
  /** More 4xx than the others have, of those that are not counted as failures, in the same way. */
  readonly maxClientErrorRateIncrease: number;
  /** More time to the response head than the others take, as a part of theirs: 0.5 is half as much again. */
  readonly maxLatencyIncrease: number;
  /** With fewer requests than this on either side nothing is concluded. */
  readonly minRequests: number;
}

export const canaryDefaults: CanarySettings = Object.freeze({
  share: 0.05,
  forMs: 60_000,
  on: allFailures,
  maxErrorRateIncrease: 0.01,
  maxClientErrorRateIncrease: 0.1,
  maxLatencyIncrease: 0.5,
  minRequests: 50,
});

/** What an instance is to be kept at, on average over the instances that take traffic. */
export interface AutoscaleTarget {
  readonly metric: "eventLoopUtilization" | "inFlight" | "cpu";
  readonly value: number;
}

export interface AutoscaleSettings {
  readonly min: number;
  readonly max: number;
  readonly target: AutoscaleTarget;
  /** How often it is decided, in milliseconds. */
  readonly intervalMs: number;
  /** How long less must have been enough before instances are ended, in milliseconds. */
  readonly cooldownMs: number;
}
