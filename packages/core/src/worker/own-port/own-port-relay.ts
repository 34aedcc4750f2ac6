import { connect, type Socket } from "node:net";
import { contained } from "../agent-faults.ts";
import type { InstancePort } from "./own-port.ts";

/**
 * Passes a connection on to where an app listens that runs in a process of its own: it is asked for on the slot's own port
 * when that was its predecessor's at its start.
 */
export function relayTo(at: InstancePort): (client: Socket) => void {
  return contained(
    "a connection to the slot's own port",
    (client: Socket) => {
      const app = connect({ ...at, allowHalfOpen: true });
      for (const [one, other] of [
        [client, app],
        [app, client],
      ] as const) {
        one.on("error", () => other.destroy());
        one.once("close", () => other.destroy());
        one.pipe(other);
      }
    },
    (client) => client.destroy(),
  );
}
