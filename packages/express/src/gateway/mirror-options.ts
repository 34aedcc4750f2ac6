import type { UrlEndpointInput } from "@lb/core";
import { option, options, positiveNumber, required, wholeNumber } from "@lb/core/kit";
import * as v from "valibot";

/** Where copies of requests go. Nobody waits for what becomes of them. */
export interface MirrorOptions {
  /** As in `targets`. */
  readonly targets: readonly UrlEndpointInput[];
  /** The share of requests that is copied. Default 1: all of them. */
  readonly share?: number;
  /** Bytes of a body that may wait for the mirror; a copy that falls behind further is given up. Default 1,048,576. */
  readonly maxWaitingBytes?: number;
  /** Copies under way at once; beyond that none is made. Default 128. */
  readonly maxInFlight?: number;
}

export const mirrorSchema = options({
  targets: required(
    v.custom<readonly UrlEndpointInput[]>((value) => Array.isArray(value), "give a list of URLs"),
    "where copies go, as in `targets`",
  ),
  share: option(
    v.pipe(positiveNumber(), v.maxValue(1, "give a share of at most 1")),
    1,
    "which share of the requests is copied",
  ),
  maxWaitingBytes: option(
    wholeNumber(1),
    1_048_576,
    "of a body that may wait for the mirror; a copy that falls behind further is given up",
  ),
  maxInFlight: option(wholeNumber(1), 128, "copies under way at once; beyond that none is made"),
});

/** {@link MirrorOptions}, checked and completed. */
export type MirrorSettings = v.InferOutput<typeof mirrorSchema>;
