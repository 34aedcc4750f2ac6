import { AccessLog } from "../access-log/access-log.ts";
import { RefusalNotices } from "../front/refusal-notice.ts";
import { type Clock, systemWallClock } from "../model/clock.ts";
import type { AccessLogSettings } from "../options/access-log-options.ts";
import type { PlaneFact } from "./plane-messages.ts";
import { sentError } from "./sent-error.ts";

/** An access log whose losses are told now and then. */
export function planeAccessLog(
  settings: AccessLogSettings | false,
  { clock, tell }: { readonly clock: Clock; readonly tell: (fact: PlaneFact) => void },
): AccessLog | undefined {
  if (settings === false) return undefined;
  let lastError: Error | undefined;
  const losses = new RefusalNotices(clock, (dropped) => {
    tell({ kind: "access-log-dropped", ...(lastError !== undefined && { error: sentError(lastError) }), dropped });
  });
  return new AccessLog({
    settings,
    clock,
    wallClock: systemWallClock,
    dropped: (lines, error) => {
      lastError = error;
      losses.note(lines);
    },
  });
}
