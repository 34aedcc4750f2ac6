import type { Waiter } from "../../balancer/wait-queue.ts";
import type { RequestView } from "../../model/request-view.ts";
import type { Placement } from "../placement.ts";
import type { FrontContext } from "./context.ts";
import type { Attempts } from "./retry.ts";

export interface Waiting {
  readonly request: RequestView;
  readonly attempts: Attempts;
  readonly placement: Placement;
}

/**
 * For a request that nobody takes now, or that has to come alone. One of `waiter`'s calls is made, possibly before this
 * returns. Returns the call that stops waiting.
 */
export function waitForEndpoint(
  { balancer, suspects, clock }: Pick<FrontContext, "balancer" | "suspects" | "clock">,
  { request, attempts, placement }: Waiting,
  waiter: Pick<Waiter, "onLease" | "onRefused">,
): () => void {
  const exclude = attempts.tried;
  if (!attempts.suspected || suspects.full) return balancer.acquireOrWait(request, { exclude, ...waiter });
  const suspect = {
    acquire: () => placement.acquire(request, exclude),
    onLease: waiter.onLease,
    onRefused: () => waiter.onRefused("wait-timeout"),
  };
  return suspects.add(suspect, attempts.remainingMs(clock.now()));
}
