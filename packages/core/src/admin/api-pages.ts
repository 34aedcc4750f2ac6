import type { ClusterSight } from "../control/cluster-sight.ts";
import { shownSpan } from "../control/history-span.ts";
import type { OutputLine } from "../model/output-line.ts";
import { version } from "./metrics/version.ts";
import { jsonAnswer, type Page } from "./page.ts";

/** `status()`, as it is. */
export function statusPage(sight: ClusterSight): Page {
  return () => jsonAnswer({ status: sight.status() });
}

const defaultHistoryMs = 300_000;
const dayMs = 86_400_000;

/** What a page, or a program, needs to begin with; see `intent.ts` for the token. */
export function sessionPage(sight: ClusterSight, csrfToken: () => string | null): Page {
  return () => {
    const { name, mode } = sight.status();
    const token = csrfToken();
    const versions = { nodeVersion: process.versions.node, lbVersion: version };
    return jsonAnswer({ actions: token !== null, csrfToken: token, name, mode, ...versions });
  };
}

/** What the traffic was like in the last `ms`, in spans as short as are remembered so far back. */
export function historyPage(sight: ClusterSight): Page {
  return ({ query }) => {
    const ms = wholeNumber(query.get("ms") ?? String(defaultHistoryMs), dayMs);
    if (ms === undefined) return jsonAnswer({ error: `give ms, a whole number from 1 to ${dayMs}` }, 400);
    return jsonAnswer({ spans: sight.history.last(ms).map(shownSpan) });
  };
}

/** What is asked for of the lines that instances wrote. */
export interface WantedLines {
  readonly lines: number;
  readonly backend?: string;
  readonly instance?: number;
}

const defaultLines = 100;
const maxLines = 2_000;
const maxInstance = 1_024;

/** The last lines that the instances wrote. `last`: undefined where they are not kept. */
export function logsPage(last: ((wanted: WantedLines) => readonly OutputLine[]) | undefined): Page {
  return ({ query }) => {
    if (last === undefined) return jsonAnswer({ error: "what the instances write is not kept here: give output" }, 404);
    const lines = wholeNumber(query.get("lines") ?? String(defaultLines), maxLines);
    if (lines === undefined) return jsonAnswer({ error: `give lines, a whole number from 1 to ${maxLines}` }, 400);
    const [id, backend] = [query.get("instance"), query.get("backend")];
    const instance = id === null ? undefined : wholeNumber(id, maxInstance);
    if (id !== null && instance === undefined) return jsonAnswer({ error: "give the number of an instance" }, 400);
    const whose = { ...(backend !== null && { backend }), ...(instance !== undefined && { instance }) };
    return jsonAnswer({ lines: last({ lines, ...whose }) });
  };
}

/** From 1 on; undefined: it is none, or above `max`. */
function wholeNumber(text: string, max: number): number | undefined {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= max ? value : undefined;
}
