import { styleText } from "node:util";
import type { ClusterStatus } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import { ClusterLog } from "../log/cluster-log.ts";
import type { LogEntry } from "../log/log-entry.ts";
import { jsonLine, textLines } from "../log/log-format.ts";
import { StandardError } from "../log/standard-error.ts";
import type { Clock } from "../model/clock.ts";
import { systemWallClock } from "../model/clock.ts";
import type { LogFormat, LogSettings } from "../options/log-options.ts";

/** Has what becomes of a cluster told as its option `log` says; returns the call by which it says something else. */
export function openLog(
  settings: LogSettings | undefined,
  events: ClusterEvents<ClusterEventMap>,
  { status, clock }: { readonly status: () => ClusterStatus; readonly clock: Clock },
): (settings: LogSettings | undefined) => void {
  let write = writing(settings, clock);
  new ClusterLog({ events, status, clock, write: (entry) => write(entry) });
  return (others) => {
    write = writing(others, clock);
  };
}

function writing(settings: LogSettings | undefined, clock: Clock): (entry: LogEntry) => void {
  if (settings === undefined) return () => {};
  return "write" in settings ? settings.write : standardError(settings, clock);
}

function standardError(format: LogFormat, clock: Clock): (entry: LogEntry) => void {
  const output = new StandardError(clock);
  const render = rendering(format);
  return (entry) => output.line(render(entry));
}

/** Makes an entry a line, or several, for standard error. */
export function rendering({ format, timestamps }: LogFormat): (entry: LogEntry) => string {
  const now = () => new Date(systemWallClock());
  if (format === "json") return (entry) => jsonLine(entry, now());
  const style = { timestamps, colours: showsColours(process.stderr) };
  return (entry) => textLines(entry, now(), style).join("\n");
}

/** As Node's own tools decide it: a terminal shows them, and `NO_COLOR` and `FORCE_COLOR` are heard. */
export function showsColours(stream: NodeJS.WriteStream): boolean {
  return styleText("red", "x", { stream }) !== "x";
}
