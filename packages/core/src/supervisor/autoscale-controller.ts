import type { AutoscaleSettings } from "../options/autoscale-options.ts";
export interface AutoscaleSample {
  readonly now: number;
  /** Instances that there are. */
  readonly instances: number;
  /** Those of them that take traffic. */
  readonly serving: number;
  /** The metric's average over them. */
  readonly load: number;
}

interface Wish {
  readonly at: number;
  readonly size: number;
}

/** By so much the load may be off its target before anything is done about it. */
const tolerance = 0.1;
/** After a change, what is measured is of the new size only after some intervals. */
const settleIntervals = 3;

/**
 * How many instances there are to be: as many as bring the load to its target, were it shared evenly. The algorithm of
 * Kubernetes' HorizontalPodAutoscaler: a tolerance, and a window over which the highest wish counts before less is done
 * with. Growing takes two samples in a row, so that one spike starts nothing.
 *
 * It does not flap: a load that makes it grow to n is by the tolerance too high to make it leave n, and one that makes
 * it shrink to n leaves as much room before it would grow again.
 */
export class AutoscaleController {
  readonly #settings: AutoscaleSettings;
  /** Sizes that would have been enough, one for each sample of the last `cooldownMs`. */
  #wishes: Wish[] = [];
  #lastUp = 0;
  #since: number | undefined;
  #changedAt = Number.NEGATIVE_INFINITY;

  constructor(settings: AutoscaleSettings) {
    this.#settings = settings;
  }

  /** The size to change to; undefined: it is right as it is. */
  decide({ now, instances, serving, load }: AutoscaleSample): number | undefined {
    const { min, max, target, intervalMs, cooldownMs } = this.#settings;
    if (instances < min) return this.#change(now, min);
    if (instances > max) return this.#change(now, max);
    if (serving === 0) return undefined;
    const demand = (serving * load) / target.value;
    // Those that take no traffic are somebody's affair; what they would do is not counted on.
    const size = (wanted: number) => Math.min(max, Math.max(min, Math.ceil(wanted - 1e-9) + instances - serving));
    const up = load > target.value * (1 + tolerance) ? size(demand) : 0;
    const confirmed = Math.min(up, this.#lastUp);
    this.#lastUp = up;
    this.#since ??= now;
    this.#wishes = this.#wishes.filter(({ at }) => at > now - cooldownMs);
    this.#wishes.push({ at: now, size: size(demand / (1 - tolerance)) });
    if (confirmed > instances && now - this.#changedAt >= settleIntervals * intervalMs) {
      return this.#change(now, confirmed);
    }
    const quietSince = Math.max(this.#since, this.#changedAt);
    if (now - quietSince < cooldownMs) return undefined;
    const enough = this.#wishes.reduce((most, wish) => Math.max(most, wish.size), min);
    return enough < instances ? this.#change(now, enough) : undefined;
  }

  /** The size was changed by somebody, or an attempt to do so failed. */
  changed(now: number): void {
    this.#changedAt = now;
    this.#lastUp = 0;
  }

  #change(now: number, size: number): number {
    this.changed(now);
    return size;
  }
}
