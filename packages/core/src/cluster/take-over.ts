import type { Predecessor } from "../upgrade/predecessor.ts";
import type { ClusterAdmin } from "./cluster-admin.ts";
import type { Groups } from "./groups.ts";
import type { Traffic } from "./traffic.ts";

export interface TakeOverParts {
  readonly traffic: Traffic;
  readonly admin: ClusterAdmin;
  readonly groups: Groups;
  /** Begins what there is to be once in a cluster. */
  readonly begin: () => Promise<void>;
}

/**
 * Takes another primary's place, now that all is ready: first both accept connections, and when that one leaves the cluster to this one, it
 * is found. Until then whatever goes wrong is the end of this one alone.
 *
 * @throws LbError `LB_UPGRADE`: the other one has given it up
 */
export async function takeOver(
  predecessor: Predecessor,
  { traffic, admin, groups, begin }: TakeOverParts,
): Promise<void> {
  await predecessor.mayAccept();
  await Promise.all([traffic.accept(), admin.accept()]);
  groups.accept();
  await predecessor.leavesAlone();
  traffic.order({ kind: "share", shared: false });
  admin.share(false);
  await begin();
  predecessor.isFound();
}
