import type { LoadReport } from "./report.ts";
import type { Counted } from "./tally.ts";

/** A report for people, without colours. */
export function reportText(report: LoadReport): string {
  const { all, byName, instances, checks, verdicts, notBegun } = report;
  const failedShare = all.count === 0 ? 0 : all.failed / all.count;
  const lines = [
    `${number(all.count)} in ${seconds(report.tookMs)} by ${plural(report.users, "user")}, ${number(report.perSecond)} answered a second, ` +
      `${number(all.failed)} failed (${percent(failedShare)}), ${size(all.bytes)}`,
  ];
  if (notBegun !== null && notBegun > 0) {
    lines.push(`${plural(notBegun, "iteration")} were due and never begun: give more users, or a lower rate`);
  }
  const named = Object.entries(byName);
  const rows = [...(named.length > 1 ? [["all", all] as const] : []), ...named].map(([name, counted]) =>
    row(name, counted),
  );
  lines.push("", ...table(["ms", "count", "failed", "p50", "p90", "p95", "p99", "p99.9", "max"], rows));
  lines.push(...reasons(all));
  const served = Object.entries(instances);
  if (served.length > 0) {
    const total = served.reduce((sum, [, count]) => sum + count, 0);
    const shares = served.map(([name, count]) => [name, number(count), percent(count / total), bar(count / total)]);
    lines.push("", ...table(["answered by", "count", "share", ""], shares));
  }
  const checked = Object.entries(checks);
  if (checked.length > 0) {
    const results = checked.map(([name, { passed, failed }]) => [name, number(passed), number(failed)]);
    lines.push("", ...table(["check", "passed", "failed"], results));
  }
  if (verdicts.length > 0) {
    const judged = verdicts.map(({ threshold, limit, measured, holds }) => [
      threshold,
      value(threshold, measured),
      value(threshold, limit),
      holds ? "holds" : "CROSSED",
    ]);
    lines.push("", ...table(["threshold", "measured", "limit", ""], judged));
  }
  if (all.latencyMs.p50 === null) lines.push("", "Nobody answered.");
  return lines.join("\n");
}

function row(name: string, { count, failed, latencyMs }: Counted): string[] {
  const { p50, p90, p95, p99, p999, max } = latencyMs;
  return [name, number(count), number(failed), ...[p50, p90, p95, p99, p999, max].map(ms)];
}

function reasons({ statuses, failures }: Counted): readonly string[] {
  const bad = Object.entries(statuses).filter(([status]) => Number(status) >= 400);
  const all = [...bad, ...Object.entries(failures)];
  return all.length === 0 ? [] : ["", `Failed: ${all.map(([what, count]) => `${number(count)} × ${what}`).join(", ")}`];
}

/** The first column and the last to the left, the others to the right. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((cells) => cells[column]!.length)));
  const isText = (column: number) => column === 0 || titles[column] === "";
  return [titles, ...rows].map((cells) =>
    cells
      .map((cell, column) => (isText(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
}

function value(threshold: string, of: number | null): string {
  if (of === null) return "-";
  if (threshold === "errors" || threshold === "checks") return percent(of);
  return threshold === "rate" ? `${number(of)}/s` : `${ms(of)} ms`;
}

function ms(value: number | null): string {
  if (value === null) return "-";
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : String(Math.round(value * 10) / 10);
}

function plural(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share > 0 && share < 0.01 ? 2 : 1)} %`;
}

function seconds(value: number): string {
  return `${(value / 1_000).toFixed(1)} s`;
}

function size(bytes: number): string {
  if (bytes >= 1_073_741_824) return `${(bytes / 1_073_741_824).toFixed(1)} GiB`;
  return bytes >= 1_048_576 ? `${(bytes / 1_048_576).toFixed(1)} MiB` : `${(bytes / 1_024).toFixed(1)} KiB`;
}

function bar(share: number): string {
  return "█".repeat(Math.round(share * 40));
}
