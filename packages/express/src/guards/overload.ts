import { type EventLoopUtilization, performance } from "node:perf_hooks";
import type { Clock } from "@lb/core";
import { options, parseOptions, systemClock, wholeNumber } from "@lb/core/kit";
import * as v from "valibot";
import type { Answer, Guard } from "../call.ts";

export interface OverloadOptions {
  /** Share of its time that the event loop may be busy, above which requests are refused. Default 0.98. */
  readonly maxEventLoopUtilization?: number;
  /** Requests under way at once, above which more are refused. Default no limit. */
  readonly maxInFlight?: number;
  /** Whole seconds for Retry-After. Default 1. */
  readonly retryAfterSeconds?: number;
}

/** How much of the past says how busy the event loop is. */
const windowMs = 200;

const shareRemedy = "give a share between 0 and 1";
const schema = options({
  maxEventLoopUtilization: v.optional(
    v.pipe(v.number(shareRemedy), v.minValue(0, shareRemedy), v.maxValue(1, shareRemedy)),
    0.98,
  ),
  maxInFlight: v.optional(wholeNumber(1)),
  retryAfterSeconds: v.optional(wholeNumber(0), 1),
});

/**
 * Refuses with one and the same answer, made beforehand: under overload a refusal has to cost next to nothing.
 *
 * @throws OptionError for the first option that cannot be used
 */
export function overloadGuard(input: OverloadOptions = {}): Guard {
  const {
    maxEventLoopUtilization,
    maxInFlight = Number.POSITIVE_INFINITY,
    retryAfterSeconds,
  } = parseOptions(schema, input);
  const refusal: Answer = Object.freeze({
    status: 503,
    headers: Object.freeze({
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "retry-after": String(retryAfterSeconds),
    }),
    body: "503 Service Unavailable\nToo much work at the moment. Please try again.\n",
  });
  eventLoopLoad ??= new EventLoopLoad(systemClock);
  const loop = eventLoopLoad;
  let inFlight = 0;
  return (call) => {
    if (inFlight >= maxInFlight || loop.utilization > maxEventLoopUtilization) return refusal;
    inFlight++;
    call.onceOver(() => {
      inFlight--;
    });
    return undefined;
  };
}

/**
 * How busy the event loop was in the last window. Sampled by the clock: measured when somebody asks, it would be that of
 * the start, or of a long time without requests. What comes before the first sample is the start, and does not count.
 */
class EventLoopLoad {
  utilization = 0;
  #since: EventLoopUtilization | undefined;

  constructor(clock: Clock) {
    const sample = () => {
      const now = performance.eventLoopUtilization();
      if (this.#since !== undefined) this.utilization = performance.eventLoopUtilization(now, this.#since).utilization;
      this.#since = now;
      clock.after(windowMs, sample);
    };
    clock.after(windowMs, sample);
  }
}

/** One for all guards, since there is one event loop. */
let eventLoopLoad: EventLoopLoad | undefined;
