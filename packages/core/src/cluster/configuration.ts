import { LbError } from "../model/errors.ts";
import type { ClusterOptions } from "../options/cluster-options.ts";
import type { OptionChange } from "../options/option-changes.ts";
import type { OptionApplier } from "./apply-options.ts";
import type { ApplyOptions, ApplyReport } from "./apply-report.ts";
import type { GivenOptions, OptionsInForce } from "./options-in-force.ts";

/** What a file says now. */
export interface ReadConfiguration extends GivenOptions {
  readonly file: string;
  /** What is different besides options of a cluster: the program. */
  readonly others: readonly OptionChange[];
  /** It is what the cluster goes by from now on. */
  readonly adopted: () => void;
}

/** Where a cluster's options are from. */
export interface ConfigurationSource {
  /** As they were when it was started, by whoever has written them. */
  readonly as: ClusterOptions;
  /** Reads the file that they are from, or another one. @throws LbError `LB_CONFIG` */
  read(file: string | undefined): Promise<ReadConfiguration>;
}

/** What is asked of the control socket. */
export interface ConfigurationWish extends ApplyOptions {
  readonly file?: string | undefined;
}

export interface ConfigurationReport extends ApplyReport {
  readonly file: string;
}

/** The options of a cluster while it runs: given by its program, or read of a file again. */
export class Configuration {
  readonly #applier: OptionApplier;
  readonly #inForce: OptionsInForce;
  #source: ConfigurationSource | undefined;

  constructor(applier: OptionApplier, inForce: OptionsInForce) {
    this.#applier = applier;
    this.#inForce = inForce;
  }

  isBy(source: ConfigurationSource): void {
    this.#source = source;
    this.#inForce.are(source.as);
  }

  apply(options: ClusterOptions, how?: ApplyOptions): Promise<ApplyReport> {
    return this.#applier.apply({ options, as: options }, how);
  }

  /** @throws LbError `LB_NO_CONFIG`, and as {@link OptionApplier} does */
  async reread({ file, ...how }: ConfigurationWish = {}): Promise<ConfigurationReport> {
    if (this.#source === undefined) {
      const remedy =
        "It was started by a program that calls cluster() itself: that has apply(), or its start is not over.";
      throw new LbError("LB_NO_CONFIG", `No configuration file is known to this cluster. ${remedy}`);
    }
    const read = await this.#source.read(file);
    const report = await this.#applier.apply(read, how, read.others);
    if (report.applied) read.adopted();
    return { file: read.file, ...report };
  }
}
