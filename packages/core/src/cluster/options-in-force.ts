import type { ClusterOptions } from "../options/cluster-options.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import { type OptionChange, optionChanges } from "../options/option-changes.ts";

/** Options, and how they are to be compared: where somebody has put something of his own into them, as his user has given them. */
export interface GivenOptions {
  readonly options: ClusterOptions;
  readonly as: ClusterOptions;
}

/** By which options a cluster goes now. */
export class OptionsInForce {
  #settings: ClusterSettings;
  #as: ClusterOptions;

  constructor(options: ClusterOptions, settings: ClusterSettings) {
    this.#settings = settings;
    this.#as = options;
  }

  get settings(): ClusterSettings {
    return this.#settings;
  }

  /** Compared, they are these. */
  are(as: ClusterOptions): void {
    this.#as = as;
  }

  changes(as: ClusterOptions): readonly OptionChange[] {
    return optionChanges(this.#as, as, this.#settings.mode);
  }

  adopt(settings: ClusterSettings, as: ClusterOptions): void {
    this.#settings = settings;
    this.#as = as;
  }
}
