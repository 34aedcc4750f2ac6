import { milliseconds, options, parseOptions, systemClock, wholeNumber } from "@lb/core/kit";
import * as v from "valibot";
import type { Guard } from "../call.ts";
import { errorAnswer } from "../error-answer.ts";
import { GatewayError } from "../errors.ts";
import { Draining } from "./draining.ts";

export interface DrainOptions {
  /** Aborted when this process begins to end. An instance of a cluster hears of its drain without. */
  readonly signal?: AbortSignal;
  /**
   * For how long, in milliseconds from the beginning of the drain, new requests are still served: those that were sent
   * here before whoever balances knew of it. They are asked to close their connections. Default 1,000.
   */
  readonly refuseAfterMs?: number;
  /** Whole seconds for Retry-After. Default 1. */
  readonly retryAfterSeconds?: number;
}

const schema = options({
  signal: v.optional(v.instance(AbortSignal, "give an AbortSignal")),
  refuseAfterMs: v.optional(milliseconds(0), 1_000),
  retryAfterSeconds: v.optional(wholeNumber(0), 1),
});

/** @throws OptionError for the first option that cannot be used */
export function drainGuard(input: DrainOptions = {}): Guard {
  const { signal, refuseAfterMs, retryAfterSeconds } = parseOptions(schema, input);
  const draining = new Draining(signal, systemClock);
  return (call) => {
    const forMs = draining.forMs();
    if (forMs === undefined) return undefined;
    if (call.request.httpVersionMajor === 1) call.setHeader("Connection", "close");
    if (forMs < refuseAfterMs) return undefined;
    return errorAnswer(call, new GatewayError("LB_DRAINING", "This process is about to end", { retryAfterSeconds }));
  };
}
