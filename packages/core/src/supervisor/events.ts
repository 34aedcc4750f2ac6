import type { LbError } from "../model/errors.ts";

/**
 * Why a worker's process ended:
 * - `crashed`: by itself, whatever its exit code, while it was to serve or to start;
 * - `start-failed`, `start-timeout`: we ended it, because it said or showed that it would not be ready;
 * - `retired`: it was asked to end by a signal from outside, and drained first;
 * - `stopped`: the cluster is closing.
 */
export type ExitReason = "crashed" | "start-failed" | "start-timeout" | "retired" | "stopped";

/** `instance` is the app's `INSTANCE_ID`, 1…N; `pid` is absent when the process could not even be made. */
interface OfWorker {
  readonly instance: number;
  readonly pid: number | undefined;
}

/** What happens to the instances, in the order in which it happened. */
export type ClusterEvent =
  | ({ readonly kind: "starting" } & OfWorker)
  | ({ readonly kind: "ready"; readonly port: number } & OfWorker)
  | ({ readonly kind: "draining" } & OfWorker)
  | ({
      readonly kind: "exited";
      readonly reason: ExitReason;
      readonly exitCode: number | null;
      readonly signal: string | null;
    } & OfWorker)
  /** A start that ended in an error; the instance is tried again under the restart policy. */
  | ({ readonly kind: "start-failed"; readonly error: LbError } & OfWorker)
  /** Too many deaths in a row: tried again, but slowly. */
  | { readonly kind: "crash-loop"; readonly instance: number; readonly deaths: number; readonly retryInMs: number }
  /** What the app in a worker sent with `process.send`. */
  | ({ readonly kind: "message"; readonly message: unknown } & OfWorker);
