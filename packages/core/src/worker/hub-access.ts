import { HubError } from "../hub/errors.ts";
import type { HubConnection } from "./hub-connection.ts";

/** One for every copy of this library in the process, the ESM and the CommonJS one for a start. */
const key = Symbol.for("@lb/core.hub");
const shared = globalThis as { [key]?: HubConnection };

export function noteHub(connection: HubConnection): void {
  shared[key] = connection;
}

/** @throws HubError `LB_HUB_NO_INSTANCE` */
export function hubConnection(what: string): HubConnection {
  const connection = shared[key];
  if (connection !== undefined) return connection;
  const remedy = "Call it in the callback of cluster(), or in a program that `lb start` runs.";
  throw new HubError(
    "LB_HUB_NO_INSTANCE",
    `${what} connects the instances of a cluster, and this process is none. ${remedy}`,
  );
}
