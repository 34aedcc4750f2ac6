import * as v from "valibot";
import { type Clock, systemClock } from "../model/clock.ts";
import { type Random, systemRandom } from "../model/random.ts";
import { type AffinityOptions, affinitySchema } from "../options/affinity-options.ts";
import { type HealthOptions, healthSchema } from "../options/health-options.ts";
import { queueSchema, type WaitQueueSettings } from "../options/queue-options.ts";
import { type RetryBudgetSettings, retryBudgetSchema } from "../options/retry-budget-options.ts";
import { options, parseOptions } from "../options/validation.ts";
import type { StrategyName } from "../strategies/index.ts";
import type { Strategy } from "../strategies/strategy.ts";
import type { UrlEndpointInput } from "./url-endpoints.ts";

export interface CreateBalancerOptions {
  /** Where requests go; may be empty at first. See `update`. */
  readonly endpoints: readonly UrlEndpointInput[];
  /** Default `"least-connections"`. Those that hash know endpoints by their URL, so that several proxies agree. */
  readonly strategy?: StrategyName | Strategy;
  readonly health?: HealthOptions;
  /**
   * Which requests belong together and go to one endpoint while that takes requests. Default: none do. A response has to
   * carry the lease's `responseFields`, and what goes to the endpoint the Cookie header that `withoutCookie` leaves.
   * Rules that look at a request need views with headers, as `requestViewOf` makes them.
   */
  readonly affinity?: AffinityOptions;
  /** How many requests may wait in `acquireOrWait`, default 1024, and how long, default 5 000 ms. */
  readonly queue?: Partial<WaitQueueSettings>;
  /** Default: a fifth of the requests of the last 10 s, and 10 a second in any case. */
  readonly retryBudget?: Partial<RetryBudgetSettings>;
  /** Default: the process's monotonic clock. */
  readonly clock?: Clock;
  /** Default: the process's own random numbers. */
  readonly random?: Random;
}

const schema = options({
  endpoints: v.custom<readonly UrlEndpointInput[]>(() => true),
  strategy: v.optional(
    v.custom<StrategyName | Strategy>(() => true),
    "least-connections",
  ),
  health: v.optional(healthSchema, {}),
  affinity: v.optional(affinitySchema),
  queue: v.optional(queueSchema, {}),
  retryBudget: v.optional(retryBudgetSchema, {}),
  clock: v.optional(
    v.custom<Clock>((value) => hasMethods(value, "now", "after"), "give an object with now() and after(ms, call)"),
    () => systemClock,
  ),
  random: v.optional(
    v.custom<Random>((value) => typeof value === "function", "give a function like Math.random"),
    () => systemRandom,
  ),
});

/** {@link CreateBalancerOptions}, checked and completed; endpoints and strategy are judged where they are used. */
export type BalancerSettings = v.InferOutput<typeof schema>;

/** @throws OptionError for the first option that cannot be used */
export function parseBalancerOptions(input: unknown): BalancerSettings {
  return parseOptions(schema, input);
}

function hasMethods(value: unknown, ...names: string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === "function");
}
