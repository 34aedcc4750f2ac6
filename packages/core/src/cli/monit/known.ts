import type { Sighting } from "../../cluster/cluster-watch.ts";
import type { HistorySpan } from "../../control/history-span.ts";
import { allInstances, type NamedInstance } from "../../control/instance-names.ts";
import type { RecentTraffic } from "../../control/recent-traffic.ts";
import type { ClusterStatus } from "../../control/status.ts";
import type { RateStatus } from "../../control/traffic-status.ts";
import type { TimedEntry } from "../../log/entry-memory.ts";
import type { OutputLine } from "../../model/output-line.ts";

/** What comes from the cluster, or of it. */
export type News =
  | { readonly kind: "sighting"; readonly sighting: Sighting }
  /** `anew`: what was told before is among them. */
  | { readonly kind: "lines"; readonly lines: readonly OutputLine[]; readonly anew: boolean }
  /** What the instances write cannot be had. */
  | { readonly kind: "no-lines"; readonly why: string }
  /** It does not answer, or there is none any more. */
  | { readonly kind: "lost"; readonly why: string; readonly at: number };

/** Whether what is known is so now. */
export type Link =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "lost"; readonly since: number; readonly why: string };

/** All that is known of a cluster. */
export interface Known {
  readonly link: Link;
  readonly status: ClusterStatus | undefined;
  readonly recent: RecentTraffic | null;
  /** Oldest first, as are those below. */
  readonly spans: readonly HistorySpan[];
  readonly entries: readonly TimedEntry[];
  readonly lines: readonly OutputLine[];
  readonly noLines: string | undefined;
}

export const nothingKnown: Known = {
  link: { kind: "connecting" },
  status: undefined,
  recent: null,
  spans: [],
  entries: [],
  lines: [],
  noLines: undefined,
};

const kept = { spans: 300, entries: 500, lines: 2_000 };

export function heard(known: Known, news: News): Known {
  switch (news.kind) {
    case "sighting": {
      const { status, recent, spans, entries } = news.sighting;
      // Another primary begins anew: what it has not told of was another one's.
      const same = known.status?.pid === status.pid;
      return {
        ...known,
        link: { kind: "live" },
        status,
        recent,
        spans: [...(same ? withoutOverlap(known.spans, spans) : []), ...spans].slice(-kept.spans),
        entries: [
          ...(same ? known.entries.filter(({ id }) => id < (entries[0]?.id ?? Infinity)) : []),
          ...entries,
        ].slice(-kept.entries),
      };
    }
    case "lines":
      return {
        ...known,
        noLines: undefined,
        lines: [...(news.anew ? [] : known.lines), ...news.lines].slice(-kept.lines),
      };
    case "no-lines":
      return { ...known, noLines: news.why };
    case "lost":
      return known.link.kind === "lost" ? known : { ...known, link: { kind: "lost", since: news.at, why: news.why } };
  }
}

/** After the connection was lost to the same primary, it tells again what it had told. */
function withoutOverlap(before: readonly HistorySpan[], next: readonly HistorySpan[]): readonly HistorySpan[] {
  const first = next[0];
  return first === undefined ? before : before.filter(({ at }) => at < first.at);
}

/** An instance, what it is called, and what it got in the last seconds. */
export interface KnownInstance extends NamedInstance {
  readonly rate: RateStatus | undefined;
}

export function knownInstances({ status, recent }: Known): readonly KnownInstance[] {
  if (status === undefined) return [];
  return allInstances(status).map((one) => ({ ...one, rate: rateOf(one) }));

  function rateOf({ backend, status: { id } }: NamedInstance): RateStatus | undefined {
    if (backend === undefined) return recent?.instances[id];
    const endpoints = Object.entries(recent?.backends[backend] ?? {});
    // Each of its processes is an endpoint of its own, and the last one is the one that runs.
    return endpoints.findLast(([url]) => url.includes(`(instance ${id}.`))?.[1];
  }
}
