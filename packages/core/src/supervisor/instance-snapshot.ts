import type { Vitals } from "../ipc/messages.ts";
import type { Endpoint } from "../model/endpoint.ts";

/** What the supervisor knows of one instance at one moment. */
export interface InstanceSnapshot {
  /** The app's `INSTANCE_ID`, 1…N. */
  readonly id: number;
  readonly port: number;
  /** `null` while the slot has no process. */
  readonly pid: number | null;
  /** `held`: ready, and kept out of rotation by an operator. */
  readonly state: "starting" | "ready" | "held" | "draining" | "stopped";
  /** Processes that were started in place of an earlier one. */
  readonly restarts: number;
  /** Since the present worker became ready; 0 when it is not. */
  readonly uptimeMs: number;
  /** Messages of the present worker that were not acceptable. */
  readonly droppedMessages: number;
  /** What the present worker last told of itself. */
  readonly vitals: Vitals | undefined;
  /** It has been silent for so long that it gets no traffic. */
  readonly silent: boolean;
  /** The incarnation that serves, whether traffic is routed to it or held back. */
  readonly endpoint: Endpoint | undefined;
}
