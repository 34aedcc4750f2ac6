import { styleText } from "node:util";
import type { ClusterStatus, InstanceState } from "../control/status.ts";

const colours: Readonly<Record<InstanceState, Parameters<typeof styleText>[0]>> = {
  ready: "green",
  starting: "yellow",
  draining: "yellow",
  drained: "yellow",
  unhealthy: "red",
  stopped: "red",
  "crash-loop": "red",
};

/** Styles `text` if standard output shows colours: a terminal does, a pipe does not, and `NO_COLOR` is heard. */
function styled(style: Parameters<typeof styleText>[0], text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** The state of a cluster for people. */
export function statusTable({ name, mode, url, strategy, pid, uptimeMs, instances }: ClusterStatus): string {
  const head = `${styled("bold", name)}  ${url}  ${mode}  ${strategy}  pid ${pid}  up ${duration(uptimeMs)}`;
  const rows = instances.map((one) => [
    String(one.id),
    one.state,
    String(one.pid ?? "-"),
    String(one.port),
    duration(one.uptimeMs),
    String(one.restarts),
    String(one.inFlight),
    String(one.requests),
    String(one.failures),
    one.vitals === null ? "-" : `${Math.round(one.vitals.cpu * 100)} %`,
    one.vitals === null ? "-" : `${Math.round(one.vitals.rssBytes / 1_048_576)} MB`,
  ]);
  const titles = ["id", "state", "pid", "port", "up", "restarts", "in flight", "requests", "failures", "cpu", "memory"];
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 1 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ");
  const body = rows.map((row, index) => {
    const { state } = instances[index]!;
    return line(row).replace(state, styled(colours[state], state));
  });
  return [head, "", styled("dim", line(titles)), ...body].join("\n");
}

/** `3 s`, `12 min`, `4 h`, `9 d`: the largest unit alone. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
