import { isServerError } from "../model/failure-conditions.ts";
import type { Random } from "../model/random.ts";

/** Whether a request is told of, of which a share of `sample` is; of failures all. */
export function isSampled(
  { status, end }: { readonly status: number | undefined; readonly end: string },
  sample: number,
  random: Random,
): boolean {
  if (sample === 1 || end === "cut") return true;
  return (status !== undefined && isServerError(status)) || random() < sample;
}
