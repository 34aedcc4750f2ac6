import type { OutlierSettings } from "../options/health-options.ts";

type Growth = Pick<OutlierSettings, "intervalMs" | "baseEjectionMs" | "maxEjectionMs">;

/** How long the next ejection of one endpoint lasts: longer each time, shorter again for every good interval. */
export class EjectionHistory {
  readonly #growth: Growth;
  #times = 0;
  /** Since when it is back and good; undefined during an ejection and its trial. */
  #goodSince: number | undefined;

  constructor(growth: Growth) {
    this.#growth = growth;
  }

  /** Counts an ejection and gives its length in milliseconds. */
  eject(now: number): number {
    const { intervalMs, baseEjectionMs, maxEjectionMs } = this.#growth;
    if (this.#goodSince !== undefined) {
      const goodIntervals = Math.floor((now - this.#goodSince) / intervalMs);
      this.#times = Math.max(0, this.#times - goodIntervals);
      this.#goodSince = undefined;
    }
    this.#times += 1;
    return Math.min(this.#times * baseEjectionMs, Math.max(baseEjectionMs, maxEjectionMs));
  }

  /** It is in service again; from here good intervals count. */
  recovered(now: number): void {
    this.#goodSince = now;
  }
}

/** How many of `total` endpoints may be out: the share rounded down, but one where two or more exist, and never all. */
export function ejectionCap(total: number, maxEjectedShare: number): number {
  if (maxEjectedShare === 0) return 0;
  return Math.max(0, Math.min(total - 1, Math.max(1, Math.floor(total * maxEjectedShare))));
}
