import { HubError } from "../hub/errors.ts";
import type { WorkerEnd } from "../hub/worker-end.ts";

/** One for every copy of this library in the process, the ESM and the CommonJS one for a start. */
const key = Symbol.for("@lb/core.hub");
const shared = globalThis as { [key]?: WorkerEnd };

export function noteHub(hub: WorkerEnd): void {
  shared[key] = hub;
}

/** @throws HubError `LB_HUB_NO_INSTANCE` */
export function workerHub(what: string): WorkerEnd {
  const hub = shared[key];
  if (hub !== undefined) return hub;
  const remedy = "Call it in the callback of cluster(), or in a program that `lb start` runs.";
  throw new HubError(
    "LB_HUB_NO_INSTANCE",
    `${what} connects the instances of a cluster, and this process is none. ${remedy}`,
  );
}
