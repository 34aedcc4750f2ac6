import type { InstanceState } from "../../control/status.ts";
import { span } from "../../log/words.ts";
import { memory, ms, percent, shortNumber } from "../figures.ts";
import { type Column, tableLines } from "./columns.ts";
import type { KnownInstance } from "./known.ts";
import type { Line, Style } from "./styled-text.ts";

const styles: Readonly<Record<InstanceState, Style>> = {
  ready: "good",
  done: "good",
  starting: "warn",
  draining: "warn",
  drained: "warn",
  unhealthy: "bad",
  stopped: "bad",
  "crash-loop": "bad",
};

const busy = (share: number): Style => (share >= 0.9 ? "bad" : share >= 0.7 ? "warn" : "plain");

const columns: readonly Column<KnownInstance>[] = [
  { title: "id", align: "right", rank: 0, text: ({ name }) => name },
  { title: "state", align: "left", rank: 1, text: stateOf, style: ({ status }) => styles[status.state] },
  { title: "pid", align: "right", rank: 9, text: ({ status }) => String(status.pid ?? "-") },
  { title: "req/s", align: "right", rank: 2, text: ({ rate }) => (rate ? shortNumber(rate.requestsPerSecond) : "-") },
  {
    title: "failed",
    align: "right",
    rank: 7,
    text: ({ rate }) => (rate === undefined ? "-" : rate.failureShare === 0 ? "0" : percent(rate.failureShare)),
    style: ({ rate }) => ((rate?.failureShare ?? 0) > 0 ? "bad" : "plain"),
  },
  { title: "in flight", align: "right", rank: 6, text: ({ status }) => String(status.inFlight) },
  { title: "p95", align: "right", rank: 3, text: ({ rate }) => ms(rate?.totalMs.p95 ?? null) },
  {
    title: "cpu",
    align: "right",
    rank: 4,
    text: ({ status: { vitals } }) => (vitals === null ? "-" : `${Math.round(vitals.cpu * 100)} %`),
    style: ({ status: { vitals } }) => busy(vitals?.loopUtilization ?? 0),
  },
  {
    title: "memory",
    align: "right",
    rank: 5,
    text: ({ status: { vitals } }) => (vitals === null ? "-" : memory(vitals.rssBytes)),
  },
  {
    title: "loop lag",
    align: "right",
    rank: 8,
    text: ({ status: { vitals } }) => ms(vitals?.loopLagMs ?? null),
    style: ({ status: { vitals } }) => ((vitals?.loopLagMs ?? 0) >= 200 ? "warn" : "plain"),
  },
  { title: "restarts", align: "right", rank: 10, text: ({ status }) => String(status.restarts) },
  {
    title: "up",
    align: "right",
    rank: 11,
    text: ({ status }) => (status.uptimeMs === 0 ? "-" : span(status.uptimeMs)),
  },
];

function stateOf({ status: { state, retryInMs } }: KnownInstance): string {
  return retryInMs === null || retryInMs < 1_000 ? state : `${state}, ${span(retryInMs)}`;
}

/** The instances, the selected one among them: so many lines at most. */
export function instanceLines(
  all: readonly KnownInstance[],
  { selected, width, rows }: { readonly selected: string | undefined; readonly width: number; readonly rows: number },
): readonly Line[] {
  if (all.length === 0) return [[{ text: "none", style: "dim" }]];
  const look = ({ name }: KnownInstance) => (name === selected ? "selected" : undefined);
  const { heading, lines } = tableLines(columns, all, { width, look });
  const room = Math.max(1, rows - 1);
  const at = Math.max(
    0,
    all.findIndex(({ name }) => name === selected),
  );
  const first = Math.max(0, Math.min(at - Math.floor(room / 2), lines.length - room));
  return [heading, ...lines.slice(first, first + room)];
}
