import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { HubCounts } from "../hub/hub-counts.ts";
import type { Clock } from "../model/clock.ts";
import { openHub } from "../supervisor/hub-server.ts";
import { createIntakeDirectory, type IntakeDirectory } from "../supervisor/intake-directory.ts";

export interface PrivateSockets extends IntakeDirectory {
  /** What has passed between the instances. */
  readonly hub: () => HubCounts;
}

/**
 * Of the app, or of this backend: the directory in which the workers open their intakes, and in it the socket by which the primary connects them with one
 * another. Removing the directory closes that.
 *
 * @throws LbError `LB_INTAKE_DIRECTORY`, `LB_INTAKE`
 */
export async function openPrivateSockets(
  backend: string | undefined,
  { clock, events }: { readonly clock: Clock; readonly events: ClusterEvents<ClusterEventMap> },
): Promise<PrivateSockets> {
  const directory = createIntakeDirectory();
  const overflowed = (endpointId: string, queuedBytes: number) => {
    const instance = Number.parseInt(endpointId, 10);
    events.emit("hub-overflow", { ...(backend !== undefined && { backend }), instance, queuedBytes });
  };
  try {
    const hub = await openHub({ path: directory.hubPath, clock, overflowed });
    const remove = () => {
      hub.close();
      directory.remove();
    };
    return { ...directory, remove, hub: () => hub.counts };
  } catch (error) {
    directory.remove();
    throw error;
  }
}
