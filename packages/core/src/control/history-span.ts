import type { Span } from "../facts/history.ts";
import { type RateStatus, rateStatus } from "./traffic-status.ts";

type Shown = "at" | "ms" | "requests" | "failures" | "clientErrors" | "inFlight" | "waiting" | "connections";

/** What the traffic was like in a span of time, as it is shown. Plain JSON. */
export type HistorySpan = Pick<Span, Shown | "cpu" | "rssBytes" | "loopLagMs"> & RateStatus;

/** Histograms are left to `/metrics`: a day of them would be megabytes. */
export function shownSpan(span: Span): HistorySpan {
  const { at, ms, requests, failures, clientErrors, inFlight, waiting, connections, cpu, rssBytes, loopLagMs } = span;
  const counted = { at, ms, requests, failures, clientErrors, ...rateStatus(span) };
  return { ...counted, inFlight, waiting, connections, cpu, rssBytes, loopLagMs };
}
