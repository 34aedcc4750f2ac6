import type { WorkerVitals } from "../ipc/messages.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Incarnation } from "./incarnation.ts";
import type { LastExit, Restarts } from "./restarts.ts";

/** What a slot knows of its instance at one moment. */
export interface SlotSnapshot {
  /** The app's `INSTANCE_ID`, 1…N. */
  readonly id: number;
  /** Where it is reached directly. */
  readonly port: number;
  /** `null` while the slot has no process. */
  readonly pid: number | null;
  /**
   * `held`: ready, and kept out of rotation by an operator; `crash-loop`: without a process, and to be tried again after a
   * long pause; `done`: without one, and there is to be none.
   */
  readonly state: "starting" | "ready" | "held" | "draining" | "stopped" | "crash-loop" | "done";
  /** Undefined: no process of it has ended. */
  readonly lastExit: LastExit | undefined;
  /** Until a worker is started, where one died. */
  readonly retryInMs: number | undefined;
  /** Processes that were started in place of an earlier one. */
  readonly restarts: number;
  /** Since the present worker became ready; 0 when it is not. */
  readonly uptimeMs: number;
  /** What the present worker last told of itself. */
  readonly vitals: WorkerVitals | undefined;
  /** The incarnation that serves, whether traffic is routed to it or held back. */
  readonly endpoint: Endpoint | undefined;
}

/** What the supervisor knows of one instance at one moment. */
export interface InstanceSnapshot extends SlotSnapshot {
  /** It has been silent for so long that it gets no traffic. */
  readonly silent: boolean;
}

export interface SnapshotSources {
  readonly id: number;
  readonly port: number;
  readonly held: boolean;
  readonly done: boolean;
  /** Whose process is shown: who has the slot, else any that is in it. */
  readonly shown: Incarnation | undefined;
  readonly serving: Incarnation | undefined;
  readonly restarts: Restarts;
  /** Processes so far. */
  readonly started: number;
}

export function slotSnapshot(sources: SnapshotSources): SlotSnapshot {
  const { id, port, held, done, shown, serving, restarts, started } = sources;
  const ready = serving?.phase.kind === "ready";
  const empty = restarts.pending?.kind === "crash-loop" ? "crash-loop" : done ? "done" : "stopped";
  return {
    id,
    port,
    pid: shown?.pid ?? null,
    state: ready && held ? "held" : (shown?.state ?? empty),
    lastExit: restarts.lastExit,
    retryInMs: restarts.pending?.inMs,
    restarts: Math.max(0, started - 1),
    uptimeMs: Math.round(shown?.uptimeMs ?? 0),
    vitals: serving?.vitals,
    endpoint: ready ? serving.endpoint : undefined,
  };
}
