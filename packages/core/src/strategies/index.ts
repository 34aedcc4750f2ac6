import { OptionError } from "../model/errors.ts";
import type { Random } from "../model/random.ts";
import { boundedLoad } from "./bounded-load.ts";
import { leastConnections } from "./least-connections.ts";
import { maglev } from "./maglev.ts";
import { peakEwma } from "./peak-ewma.ts";
import { powerOfTwo } from "./power-of-two.ts";
import { random } from "./random.ts";
import { rendezvous } from "./rendezvous.ts";
import { roundRobin } from "./round-robin.ts";
import type { Strategy } from "./strategy.ts";
import { weightedRoundRobin } from "./weighted-round-robin.ts";

export { type BoundedLoadOptions, boundedLoad } from "./bounded-load.ts";
export type { HashOptions } from "./hash-options.ts";
export { leastConnections } from "./least-connections.ts";
export { type MaglevOptions, maglev } from "./maglev.ts";
export { type PeakEwmaOptions, peakEwma } from "./peak-ewma.ts";
export { type PowerOfTwoOptions, powerOfTwo } from "./power-of-two.ts";
export { type RandomOptions, random } from "./random.ts";
export { rendezvous } from "./rendezvous.ts";
export { roundRobin } from "./round-robin.ts";
export type { Picker, Strategy } from "./strategy.ts";
export { weightedRoundRobin } from "./weighted-round-robin.ts";

type StrategyFactory = (options: { readonly random: Random }) => Strategy;

/** The factory for each name that options may give. */
export const strategies = {
  "round-robin": roundRobin,
  "weighted-round-robin": weightedRoundRobin,
  "least-connections": leastConnections,
  "power-of-two": powerOfTwo,
  "peak-ewma": peakEwma,
  random,
  rendezvous,
  maglev,
  "bounded-load": boundedLoad,
} as const satisfies Record<string, StrategyFactory>;

export type StrategyName = keyof typeof strategies;

export interface ResolveOptions {
  readonly random: Random;
  /** Where it was given. Default `"strategy"`. */
  readonly option?: string;
}

/**
 * The strategy of that name with default options, or the given one as it is.
 *
 * @throws OptionError for an unknown name, or an object that is not a strategy
 */
export function resolveStrategy(
  strategy: StrategyName | Strategy,
  { random, option = "strategy" }: ResolveOptions,
): Strategy {
  if (isStrategy(strategy)) return strategy;
  if (typeof strategy === "string" && Object.hasOwn(strategies, strategy)) {
    const factory: StrategyFactory = strategies[strategy];
    return factory({ random });
  }
  const names = Object.keys(strategies).map((name) => `"${name}"`);
  throw new OptionError(option, strategy, `give a strategy, e.g. roundRobin(), or one of ${names.join(", ")}`);
}

function isStrategy(value: unknown): value is Strategy {
  return typeof value === "object" && value !== null && typeof (value as Partial<Strategy>).picker === "function";
}
