import type { Candidate } from "../model/candidate.ts";
import { OptionError } from "../model/errors.ts";
import { type Random, systemRandom } from "../model/random.ts";
import type { Strategy } from "./strategy.ts";
import { TwoChoicesPicker } from "./two-choices.ts";

export interface PeakEwmaOptions {
  /** How long a peak of the response time is remembered: it falls by the factor e in this time. Default 10,000. */
  readonly decayMs?: number;
  /** Default: the process's own random numbers. */
  readonly random?: Random;
}

const DEFAULT_DECAY_MS = 10_000;

/**
 * Differences below this are the noise of an event loop. The floor also bounds the rush at an endpoint whose estimate
 * faded while it was idle: compared with one of 50 ms it gets 50 requests before its first answer, not thousands.
 */
const FLOOR_MS = 1;

/**
 * Of two endpoints drawn by weight, the one with the lower expected wait: response time × (1 + requests in flight, a
 * heavy endpoint's counting for less). Peaks count at once and fade slowly. After Finagle's `PeakEwma` and linkerd.
 *
 * An endpoint that has not answered yet is taken to be as fast as the one it is compared with, so what is in flight
 * decides: it is tried soon and never gets more than its part. Finagle lets it have one request until the answer, which
 * would starve an endpoint whose first lease is a WebSocket.
 *
 * Failures carry no response time: an endpoint that fails fast is for ejection to remove. O(1).
 *
 * @throws OptionError when `decayMs` is not a finite number > 0
 */
export function peakEwma(options: PeakEwmaOptions = {}): Strategy {
  const { decayMs = DEFAULT_DECAY_MS, random = systemRandom } = options;
  if (!(Number.isFinite(decayMs) && decayMs > 0)) {
    throw new OptionError("peakEwma.decayMs", decayMs, "give a number of milliseconds greater than 0, e.g. 10000");
  }
  return {
    name: "peak-ewma",
    latencyDecayMs: decayMs,
    picker(candidates) {
      const meanWeight = candidates.reduce((sum, { endpoint }) => sum + endpoint.weight, 0) / candidates.length;
      const queue = ({ inFlight, endpoint }: Candidate) => 1 + (inFlight * meanWeight) / endpoint.weight;
      return new TwoChoicesPicker(candidates, random, (a, b) => {
        const latencyA = a.latencyMs();
        const latencyB = b.latencyMs();
        if (latencyA === 0 || latencyB === 0) return queue(a) < queue(b);
        return Math.max(latencyA, FLOOR_MS) * queue(a) < Math.max(latencyB, FLOOR_MS) * queue(b);
      });
    },
  };
}
