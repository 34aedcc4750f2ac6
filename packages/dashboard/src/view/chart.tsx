import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Range } from "../api/history-feed.ts";
import type { HistorySpan } from "../api/types.ts";
import { columns, type Series, summary } from "../figures/series.ts";
import { themeChanged } from "./theme.ts";

/** Something that happened. */
export interface ChartMark {
  /** In milliseconds since 1970-01-01 UTC. */
  readonly at: number;
  readonly colour: string;
}

export interface ChartProps {
  readonly title: string;
  readonly series: readonly Series[];
  readonly shown: (value: number | null) => string;
  readonly least: number;
  /** What lies between two lines of the grid; absent: what is round in tens. */
  readonly steps?: readonly number[];
  readonly range: Range;
  readonly spans: readonly HistorySpan[];
  readonly marks: readonly ChartMark[];
}

const height = 150;
/** The pointer in one chart is in all of them. */
const cursors = uPlot.sync("history");

export function Chart(props: ChartProps) {
  const { title, series, spans, shown, range, marks } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const element = place.current!;
    const draw = () => {
      plot.current?.destroy();
      plot.current = made(element, latest);
    };
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    draw();
    resized.observe(element);
    document.addEventListener(themeChanged, draw);
    return () => {
      document.removeEventListener(themeChanged, draw);
      resized.disconnect();
      plot.current?.destroy();
    };
  }, []);

  useEffect(() => {
    if (plot.current === undefined) return;
    plot.current.setData(columns(spans, series, range.spanMs));
    showLatest(plot.current);
  }, [spans]);
  useEffect(() => plot.current?.redraw(), [marks]);

  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={place} role="img" aria-label={summary(title, series, spans, shown)} />
    </figure>
  );
}

function made(element: HTMLElement, latest: { readonly current: ChartProps }): uPlot {
  const { series, shown, least, range, spans, steps } = latest.current;
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const font = `11px ${style.fontFamily}`;
  const axis = {
    stroke: colour("--quiet"),
    font,
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { show: false },
  };
  const plot = new uPlot(
    {
      width: Math.max(element.clientWidth, 100),
      height,
      padding: [8, 20, 0, 0],
      cursor: { sync: { key: cursors.key }, drag: { x: false, y: false }, points: { size: 6 } },
      legend: { live: true, markers: { width: 2 } },
      scales: {
        x: { range: (_, first, last) => extent(first, last, range.ms / 1_000) },
        y: { range: (_, __, max) => [0, Math.max(least, (max ?? 0) * 1.1)] },
      },
      axes: [
        { ...axis, size: 26, space: 70, values: range.ms > 300_000 ? "{HH}:{mm}" : "{HH}:{mm}:{ss}" },
        { ...axis, size: 58, space: 34, values: (_, values) => values.map(shown), ...(steps && { incrs: [...steps] }) },
      ],
      series: [
        { label: "at", value: "{HH}:{mm}:{ss}" },
        ...series.map(({ label, colour: name }, index) => ({
          label,
          stroke: colour(name),
          width: 1.5,
          ...(index === 0 && { fill: `${colour(name)}1f` }),
          points: { show: false },
          value: (_: uPlot, value: number | null) => shown(value),
        })),
      ],
      hooks: {
        drawClear: [(plot) => drawMarks(plot, latest.current.marks, colour)],
        setCursor: [showLatest],
      },
    },
    columns(spans, series, range.spanMs),
    element,
  );
  showLatest(plot);
  return plot;
}

/** Where the pointer is nowhere, the legend has the newest values. */
function showLatest(plot: uPlot): void {
  const last = plot.data[0].length - 1;
  if (plot.cursor.idx == null && last >= 0) plot.setLegend({ idx: last }, false);
}

const leastSeconds = 60;

/** From the oldest that is known, within the range, to the newest. */
function extent(first: number | null, last: number | null, seconds: number): [number, number] {
  const to = last ?? Date.now() / 1_000;
  return [Math.max(to - seconds, Math.min(first ?? to, to - leastSeconds)), to];
}

/** What happened, behind the lines. */
function drawMarks(plot: uPlot, marks: readonly ChartMark[], colour: (name: string) => string): void {
  const { ctx, bbox } = plot;
  const { min = 0, max = 0 } = plot.scales["x"] ?? {};
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { at, colour: name } of marks) {
    if (at / 1_000 < min || at / 1_000 > max) continue;
    const x = Math.round(plot.valToPos(at / 1_000, "x", true)) + 0.5;
    ctx.strokeStyle = colour(name);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
