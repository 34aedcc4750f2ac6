export interface ProbeThresholds {
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
}

export type ProbeVerdict = "undecided" | "up" | "down";

/** Turns single probe results into a verdict that changes only after enough equal ones in a row. */
export class ProbeCounter {
  readonly #thresholds: ProbeThresholds;
  #verdict: ProbeVerdict = "undecided";
  /** Results in a row that speak against the verdict. */
  #against = 0;

  constructor(thresholds: ProbeThresholds) {
    this.#thresholds = thresholds;
  }

  /** One success is enough for the first verdict; failures need their number even then. */
  add(healthy: boolean): ProbeVerdict {
    const result = healthy ? "up" : "down";
    if (this.#verdict === result || (this.#verdict === "undecided" && healthy)) {
      this.#verdict = result;
      this.#against = 0;
      return result;
    }
    this.#against += 1;
    const enough = healthy ? this.#thresholds.healthyAfter : this.#thresholds.unhealthyAfter;
    if (this.#against >= enough) {
      this.#verdict = result;
      this.#against = 0;
    }
    return this.#verdict;
  }
}
