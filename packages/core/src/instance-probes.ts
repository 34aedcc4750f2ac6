import type { ActiveSettings } from "./health/settings.ts";
import type { HealthTracker } from "./health/tracker.ts";
import type { Clock } from "./model/clock.ts";
import type { Address, Endpoint } from "./model/endpoint.ts";
import type { Random } from "./model/random.ts";
import { Prober } from "./probe/prober.ts";

export interface InstanceProbesOptions {
  readonly settings: ActiveSettings;
  readonly health: HealthTracker;
  readonly clock: Clock;
  readonly random: Random;
  /** Where an instance answers plain HTTP; its private socket, which the roster names, does not. */
  readonly directAddress: (endpoint: Endpoint) => Address;
}

/** Active health checks of our own instances, on the port that each has of its own. */
export class InstanceProbes {
  readonly #options: InstanceProbesOptions;
  readonly #prober: Prober;
  /** What is probed for each endpoint of the roster, and the way back. */
  #probed = new Map<Endpoint, Endpoint>();
  #origin = new Map<Endpoint, Endpoint>();

  constructor(options: InstanceProbesOptions) {
    this.#options = options;
    const { settings, clock, random, health } = options;
    this.#prober = new Prober({
      settings,
      clock,
      random,
      report: (probed, { kind }) => {
        const endpoint = this.#origin.get(probed);
        if (endpoint !== undefined) health.observeProbe(endpoint, kind === "up");
      },
    });
  }

  update(roster: readonly Endpoint[]): void {
    const before = this.#probed;
    this.#probed = new Map(
      roster.map((endpoint) => [
        endpoint,
        before.get(endpoint) ?? { ...endpoint, address: this.#options.directAddress(endpoint) },
      ]),
    );
    this.#origin = new Map([...this.#probed].map(([endpoint, probed]) => [probed, endpoint]));
    this.#prober.update([...this.#probed.values()]);
  }

  close(): Promise<void> {
    return this.#prober.close();
  }
}
