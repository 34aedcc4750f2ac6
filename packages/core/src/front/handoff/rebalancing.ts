import type { Endpoint } from "../../model/endpoint.ts";

/** A worker with fewer connections more than this over the mean is left alone: they come and go. */
const minExcess = 2;
/** So is one that has less than this part more than the mean. */
const minExcessShare = 0.1;

/**
 * Which workers should give connections back, and how many of them, so that those with fewer get some: at most `budget`
 * altogether, from the fullest first.
 */
export function planReturns(
  connections: ReadonlyMap<Endpoint, number>,
  budget: number,
): readonly { readonly endpoint: Endpoint; readonly most: number }[] {
  const counts = [...connections].sort(([, one], [, other]) => other - one);
  const mean = counts.reduce((sum, [, count]) => sum + count, 0) / Math.max(1, counts.length);
  const plan: { endpoint: Endpoint; most: number }[] = [];
  let left = budget;
  for (const [endpoint, count] of counts) {
    const excess = Math.floor(count - mean);
    if (left === 0 || excess < Math.max(minExcess, mean * minExcessShare)) break;
    const most = Math.min(left, excess);
    plan.push({ endpoint, most });
    left -= most;
  }
  return plan;
}
