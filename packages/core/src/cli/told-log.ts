import { rendering } from "../cluster/open-log.ts";
import type { LogEntry } from "../log/log-entry.ts";
import { type LogOption, logSchema } from "../options/log-options.ts";
import { parseOptions } from "../options/validation.ts";

/** So that flags can change a part of it. */
export function unfolded(log: LogOption = "text"): LogOption {
  return typeof log === "string" ? { format: log } : log;
}

/** The log is written where the instances' lines are, and in order with them. */
export function logThrough(write: (text: string, entry: LogEntry) => void, log: LogOption = "text"): LogOption {
  if (typeof log === "object" && (log.format as string) === "off") return false;
  const settings = parseOptions(logSchema, log, "log");
  if (settings === undefined) return false;
  if ("write" in settings) return settings.write;
  const render = rendering(settings);
  return (entry) => write(render(entry), entry);
}
