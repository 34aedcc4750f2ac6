import type { ClusterSight } from "../control/cluster-sight.ts";
import { rateStatus } from "../control/traffic-status.ts";
import type { Span } from "../facts/history.ts";
import { jsonAnswer, type Page } from "./page.ts";

/** `status()`, as it is. */
export function statusPage(sight: ClusterSight): Page {
  return () => jsonAnswer({ status: sight.status() });
}

const defaultHistoryMs = 300_000;
const dayMs = 86_400_000;

/** What the traffic was like in the last `ms`, in spans as short as are remembered so far back. */
export function historyPage(sight: ClusterSight): Page {
  return ({ query }) => {
    const ms = wholeNumber(query.get("ms") ?? String(defaultHistoryMs), dayMs);
    if (ms === undefined) return jsonAnswer({ error: `give ms, a whole number from 1 to ${dayMs}` }, 400);
    return jsonAnswer({ spans: sight.history.last(ms).map(shownSpan) });
  };
}

/** Histograms are left to `/metrics`: a day of them would be megabytes. */
function shownSpan(span: Span): object {
  const { at, ms, requests, failures, clientErrors, inFlight, waiting, connections, cpu, rssBytes, loopLagMs } = span;
  const counted = { at, ms, requests, failures, clientErrors, ...rateStatus(span) };
  return { ...counted, inFlight, waiting, connections, cpu, rssBytes, loopLagMs };
}

/** From 1 on; undefined: it is none, or above `max`. */
function wholeNumber(text: string, max: number): number | undefined {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= max ? value : undefined;
}
