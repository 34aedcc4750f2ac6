import type { Lease } from "../../balancer/balancer.ts";
import type { Waiter } from "../../balancer/wait-queue.ts";
import type { Clock } from "../../model/clock.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import { cancelled } from "../../model/outcome.ts";
import type { RequestView } from "../../model/request-view.ts";
import type { RetryCause } from "../../model/retry-policy.ts";
import type { Placement } from "../placement.ts";
import type { Pool } from "./pool.ts";
import type { Attempts } from "./retry.ts";

/** A request that needs an endpoint, and what is known of those that it had. */
export interface Placing {
  readonly request: RequestView;
  readonly attempts: Attempts;
  readonly placement: Placement;
  readonly pool: Pool;
  /** The number of the balancer's strategy that chooses. */
  readonly by: number | undefined;
}

/**
 * For a request that nobody takes now, or that has to come alone. One of `waiter`'s calls is made, possibly before this
 * returns. Returns the call that stops waiting.
 */
export function waitForEndpoint(
  clock: Clock,
  { request, attempts, placement, pool: { balancer, suspects }, by = 0 }: Placing,
  waiter: Pick<Waiter, "onLease" | "onRefused">,
): () => void {
  const exclude = attempts.tried;
  if (!attempts.suspected || suspects.full) return balancer.acquireOrWait(request, { exclude, by, ...waiter });
  const suspect = {
    acquire: () => placement.acquire(request, exclude),
    onLease: waiter.onLease,
    onRefused: () => waiter.onRefused("wait-timeout"),
  };
  const now = clock.now();
  return suspects.add(suspect, attempts.remainingMs(now), attempts.aloneSince(now));
}

/**
 * For a request whose endpoint answered that it cannot: a lease on another one, paid for as a retry. Undefined: where
 * nobody else could answer, that answer is better than one of our own.
 */
export function leaseElsewhere(
  clock: Clock,
  { request, attempts, placement, pool: { balancer } }: Placing,
  { endpoint, cause }: { readonly endpoint: Endpoint; readonly cause: RetryCause },
): Lease | undefined {
  if (!attempts.mayRetry(cause, true, clock.now())) return undefined;
  const found = placement.acquire(request, new Set(attempts.tried).add(endpoint));
  if (found.kind !== "lease") return undefined;
  if (balancer.withdrawRetry()) return found;
  found.release(cancelled);
  return undefined;
}
