import type { Clock } from "../model/clock.ts";
import type { Address, Endpoint } from "../model/endpoint.ts";
import { LbError } from "../model/errors.ts";
import type { Random } from "../model/random.ts";
import type { ActiveSettings, HealthSettings } from "../options/health-options.ts";
import { Prober } from "../probe/prober.ts";
import { pause, probeNow, whatCame } from "./first-probe.ts";
import type { GroupTraffic } from "./group-traffic.ts";

export interface InstanceProbesOptions {
  readonly settings: ActiveSettings;
  readonly report: (endpoint: Endpoint, up: boolean) => void;
  readonly clock: Clock;
  readonly random: Random;
  /** Where an instance answers plain HTTP; its private socket, which the roster names, does not. */
  readonly directAddress: (endpoint: Endpoint) => Address;
}

/** Active health checks of our own instances, on the port that each has of its own. */
export class InstanceProbes {
  readonly #options: InstanceProbesOptions;
  readonly #prober: Prober;

  constructor(options: InstanceProbesOptions) {
    this.#options = options;
    const { settings, clock, random, report, directAddress } = options;
    this.#prober = new Prober({
      settings,
      clock,
      random,
      probedAt: (endpoint) => ({ address: directAddress(endpoint) }),
      report: (endpoint, { kind }) => report(endpoint, kind === "up"),
    });
  }

  update(roster: readonly Endpoint[]): void {
    this.#prober.update(roster);
  }

  /**
   * Probes an endpoint that gets no traffic yet until so many probes in a row succeeded as `healthyAfter` asks for.
   *
   * @throws LbError `LB_PROBE` if they do not within `withinMs`
   */
  async verify(endpoint: Endpoint, withinMs: number): Promise<void> {
    const { settings, clock, directAddress } = this.#options;
    const probed = { settings, address: directAddress(endpoint), clock };
    const startedAt = clock.now();
    let inARow = 0;
    for (;;) {
      const result = await probeNow(probed);
      inARow = result.kind === "up" ? inARow + 1 : 0;
      if (inARow >= settings.healthyAfter) return;
      if (clock.now() - startedAt >= withinMs) {
        throw new LbError("LB_PROBE", `GET ${settings.path}: ${whatCame(result)} after ${Math.round(withinMs)} ms`);
      }
      await pause(probed);
    }
  }

  close(): Promise<void> {
    return this.#prober.close();
  }
}

/** Undefined: the settings ask for none. */
export function instanceProbes({
  health: { active },
  traffic,
  clock,
  random,
}: {
  readonly health: Pick<HealthSettings, "active">;
  readonly traffic: GroupTraffic;
  readonly clock: Clock;
  readonly random: Random;
}): InstanceProbes | undefined {
  if (active === false) return undefined;
  return new InstanceProbes({
    settings: active,
    report: (endpoint, up) => traffic.probed(endpoint, up),
    clock,
    random,
    directAddress: (endpoint) => traffic.directAddress(endpoint),
  });
}
