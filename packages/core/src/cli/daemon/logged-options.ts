import type { AccessLogOptions } from "../../options/access-log-options.ts";
import type { ClusterOptions } from "../../options/cluster-options.ts";
import type { LogOption } from "../../options/log-options.ts";

// In the background nothing goes to the standard streams, whose files nobody rotates.

type ToOutput = Exclude<NonNullable<ClusterOptions["output"]>, "inherit">;

/** A log that is read later says when each line was written, unless it is not to. */
export function timed(log: LogOption): LogOption {
  return typeof log === "object" ? { timestamps: true, ...log } : log;
}

export function loggedOutput(output: ClusterOptions["output"], toLog: ToOutput): ToOutput {
  return typeof output === "function" ? output : toLog;
}

/** An access log that was to go to standard output is part of the log. */
export function loggedAccess(
  accessLog: ClusterOptions["accessLog"],
  log: { line(stream: "stdout", text: string): void },
): Pick<ClusterOptions, "accessLog"> {
  if (accessLog === undefined || accessLog === false) return {};
  const given: AccessLogOptions = typeof accessLog === "string" ? { to: accessLog } : accessLog;
  if (given.to !== "stdout" && given.to !== undefined) return {};
  return { accessLog: { ...given, to: (line) => log.line("stdout", line) } };
}
