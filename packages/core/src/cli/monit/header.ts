import type { HistorySpan } from "../../control/history-span.ts";
import { readiness } from "../../control/instance-names.ts";
import { span } from "../../log/words.ts";
import { memory, ms, percent, shortNumber } from "../figures.ts";
import { phaseOf, urlsOf } from "../status-table.ts";
import type { Known } from "./known.ts";
import { type Charset, type Sample, sparkline } from "./sparkline.ts";
import { cell, type Line, type Style, widthOf } from "./styled-text.ts";

/** Of the charts. */
const shownMs = 300_000;

interface Gauge {
  readonly label: string;
  readonly value: string;
  readonly style?: Style;
  readonly of?: (span: HistorySpan) => number | null;
  readonly mean?: true;
}

/** What cluster it is, and how it is. */
export function titleLine({ link, status }: Known, now: number): Line {
  if (status === undefined) return [{ text: "lb monit", style: "bold" }, { text: "  connecting" }];
  const { name, mode, strategy, pid } = status;
  const phase: Line[number] =
    link.kind === "lost"
      ? { text: `${link.why}, since ${span(now - link.since)}`, style: "bad" }
      : { text: phaseOf(status), style: status.phase === "running" && status.reload === null ? "good" : "warn" };
  return [
    { text: name, style: "bold" },
    { text: "  " },
    phase,
    { text: `  ${readiness(status)} ready  ${urlsOf(status).join(" ")}  ${mode}  ${strategy}  pid ${pid}` },
  ];
}

function gauges({ status, recent, spans }: Known): readonly Gauge[] {
  const last = spans.at(-1);
  const total = recent?.total ?? status?.traffic.lastMinute;
  const failed = total?.failureShare ?? 0;
  const times = total?.totalMs;
  const waiting = last?.waiting ?? 0;
  const lag = last?.loopLagMs ?? 0;
  return [
    { label: "requests/s", value: known(total?.requestsPerSecond, shortNumber), of: perSecond, mean: true },
    {
      label: "failed",
      value: failed === 0 ? "0" : percent(failed),
      style: failed === 0 ? "plain" : "bad",
      of: ({ failures, ms: long }) => (failures * 1_000) / long,
    },
    { label: "p95", value: ms(times?.p95 ?? null), of: ({ totalMs }) => totalMs.p95 },
    { label: "p50, p99", value: `${ms(times?.p50 ?? null)}, ${ms(times?.p99 ?? null)}` },
    { label: "in flight", value: known(last?.inFlight, String), of: ({ inFlight }) => inFlight },
    { label: "waiting", value: String(waiting), style: waiting > 0 ? "warn" : "plain", of: (one) => one.waiting },
    { label: "connections", value: known(last?.connections, String), of: ({ connections }) => connections },
    { label: "cpu", value: known(last?.cpu, (cpu) => `${Math.round(cpu * 100)} %`), of: ({ cpu }) => cpu, mean: true },
    { label: "memory", value: known(last?.rssBytes, memory), of: ({ rssBytes }) => rssBytes },
    { label: "loop lag", value: ms(lag), style: lag >= 200 ? "warn" : "plain", of: ({ loopLagMs }) => loopLagMs },
  ];
}

function known<T>(value: T | undefined, text: (value: T) => string): string {
  return value === undefined ? "-" : text(value);
}

function perSecond({ requests, ms: long }: HistorySpan): number {
  return (requests * 1_000) / long;
}

const labelWidth = 12;
const valueWidth = 9;
const leastChart = 8;
const mostChart = 60;
const between = 3;

/** Numbers, with charts of the last five minutes where there is room for them: so many lines of them at most. */
export function gaugeLines(
  all: Known,
  { width, rows, charset }: { readonly width: number; readonly rows: number; readonly charset: Charset },
): readonly Line[] {
  const wanted = gauges(all);
  const least = labelWidth + valueWidth + leastChart + between;
  // Three at most: a chart that can be read is worth more than one more beside it.
  const columns = Math.max(1, Math.min(3, Math.floor((width + between) / least)));
  const shown = wanted.slice(0, Math.max(0, rows) * columns);
  const lines = Math.ceil(shown.length / columns);
  const each = Math.floor((width + between) / columns) - between;
  return Array.from({ length: lines }, (_, line) =>
    Array.from({ length: columns }, (_each, column) => shown[line * columns + column]).flatMap((gauge, column) =>
      gauge === undefined ? [] : [{ text: column === 0 ? "" : " ".repeat(between) }, ...drawn(gauge, each)],
    ),
  );

  function drawn({ label, value, style = "bold", of, mean }: Gauge, room: number): Line {
    const value2 = of === undefined ? value : cell(value, valueWidth);
    const chart = Math.min(mostChart, room - labelWidth - widthOf(value2) - 1);
    const samples: readonly Sample[] = of === undefined ? [] : all.spans.map((one) => ({ at: one.at, value: of(one) }));
    const text =
      of === undefined || chart < leastChart
        ? ""
        : sparkline(samples, { width: chart, ms: shownMs, charset, of: mean === true ? "mean" : "most" });
    const used = labelWidth + widthOf(value2) + (text === "" ? 0 : chart + 1);
    return [
      { text: cell(label, labelWidth), style: "dim" },
      { text: value2, style: style === "plain" ? "bold" : style },
      ...(text === "" ? [] : [{ text: " " }, { text, style: "accent" } as const]),
      { text: " ".repeat(Math.max(0, room - used)) },
    ];
  }
}
