import { counted } from "../../log/words.ts";
import type { SlowRequest, SlowRequests } from "../../model/slow-requests.ts";
import { ms } from "../figures.ts";
import { table } from "../status-table.ts";

/** How many of them are shown. */
const shown = 20;
const leastBar = 20;
const mostBar = 60;
/** Until an instance was found; until its response began; until it had ended. */
const signs = { wait: "·", answer: "█", body: "▒" } as const;

/** The slowest requests for people: how long, and when what happened, to the same scale. */
export function waterfall({ ms: time, requests, slowest }: SlowRequests, columns: number): string {
  const counts = `${counted(requests, "request")} in ${time / 1_000} s`;
  const [first] = slowest;
  if (first === undefined) return counts;
  const rows = slowest
    .slice(0, shown)
    .map((one) => [
      ms(one.endedMs),
      ms(one.leasedMs),
      ms(one.respondedMs === null || one.leasedMs === null ? null : one.respondedMs - one.leasedMs),
      ms(one.respondedMs === null ? null : one.endedMs - one.respondedMs),
      `${one.status ?? "-"}${one.end === "cut" || one.end === "client-left" ? ` ${one.end}` : ""}`,
      one.instance ?? "-",
      `${one.method} ${one.path}`,
    ]);
  const titles = ["total", "wait", "answer", "body", "status", "by", "request"];
  const used = titles.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]!.length)));
  const asked = Math.min(40, used[6]!);
  const left = columns - used.slice(0, 6).reduce((sum, width) => sum + width + 2, 0) - asked - 2;
  const bar = Math.max(leastBar, Math.min(mostBar, left));
  const lines = rows.map((row, at) => [
    ...row.slice(0, 6),
    cut(row[6]!, asked),
    barOf(slowest[at]!, first.endedMs, bar),
  ]);
  const legend = `${signs.wait} until an instance was found, ${signs.answer} until the head of its response, ${signs.body} until the end`;
  return [`${counts}, the slowest:`, ...table([...titles, ""], lines, [4, 5, 6, 7]), legend].join("\n");
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function barOf({ leasedMs, respondedMs, endedMs }: SlowRequest, longestMs: number, width: number): string {
  const columns = (until: number) => Math.round((until / Math.max(longestMs, Number.MIN_VALUE)) * width);
  const leased = columns(leasedMs ?? endedMs);
  const responded = Math.max(leased, columns(respondedMs ?? endedMs));
  const ended = Math.max(responded, columns(endedMs));
  return signs.wait.repeat(leased) + signs.answer.repeat(responded - leased) + signs.body.repeat(ended - responded);
}
