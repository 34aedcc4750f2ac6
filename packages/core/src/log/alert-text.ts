import type { Alert } from "../model/alert.ts";
import { printable } from "./printable.ts";
import { span } from "./words.ts";

/** One alert in one line. */
export function alertText({ state, severity, summary, durationMs = 0 }: Alert): string {
  const what = printable(summary);
  switch (state) {
    case "firing":
      return severity === "critical" ? `CRITICAL: ${what}` : what;
    case "resolved":
      return `RESOLVED after ${span(durationMs)}: ${what}`;
    case "passed":
      return `${what} (over after ${span(durationMs)})`;
  }
}
