import { instanceName } from "../../control/instance-names.ts";
import type { TimedEntry } from "../../log/entry-memory.ts";
import type { OutputLine } from "../../model/output-line.ts";
import type { Line, Style } from "./styled-text.ts";

export interface Excerpt {
  /** Lines that are passed over, from the end. */
  readonly back: number;
  readonly rows: number;
}

const levels: Readonly<Record<TimedEntry["level"], Style>> = { info: "plain", warn: "warn", error: "bad" };

/** What happened, the latest last. */
export function eventLines(entries: readonly TimedEntry[], excerpt: Excerpt): readonly Line[] {
  return excerptOf(entries, excerpt).map(({ at, level, message }) => [
    { text: `${timeOf(at)} `, style: "dim" },
    { text: message, style: levels[level] },
  ]);
}

/** What the instances wrote, the latest last. */
export function logLines(lines: readonly OutputLine[], excerpt: Excerpt): readonly Line[] {
  return excerptOf(lines, excerpt).map(({ backend, instance, stream, text }) => [
    { text: `${instanceName(instance, backend)} | `, style: stream === "stderr" ? "warn" : "dim" },
    { text },
  ]);
}

function excerptOf<T>(all: readonly T[], { back, rows }: Excerpt): readonly T[] {
  const end = Math.max(Math.min(rows, all.length), all.length - back);
  return all.slice(Math.max(0, end - rows), end);
}

function timeOf(at: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const time = new Date(at);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
}
