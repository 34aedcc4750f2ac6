import { type AnswerReason, isRefusal } from "../http/answer-reason.ts";
import { isServerError } from "../model/failure-conditions.ts";
import type { Random } from "../model/random.ts";
import type { AccessLogSettings } from "../options/access-log-options.ts";

/** What became of a request, as far as it says whether there is a line of it. */
export interface Told {
  readonly status: number | undefined;
  readonly end: string;
  readonly reason: AnswerReason | undefined;
}

/** Whether there is a line of a request: of those that the log is for, a share; of failures all. */
export function isTold(
  told: Told,
  { only, sample }: Pick<AccessLogSettings, "only" | "sample">,
  random: Random,
): boolean {
  const { status, end, reason } = told;
  if (only !== "all") {
    const refused = reason !== undefined && isRefusal(reason);
    if (!refused && (only === "refusals" || !isFailure(told))) return false;
  }
  return sample === 1 || isFailure({ status, end }) || random() < sample;
}

function isFailure({ status, end }: Pick<Told, "status" | "end">): boolean {
  return end === "cut" || (status !== undefined && isServerError(status));
}
