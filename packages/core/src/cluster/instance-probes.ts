import type { ActiveSettings } from "../health/settings.ts";
import type { HealthTracker } from "../health/tracker.ts";
import type { Clock } from "../model/clock.ts";
import type { Address, Endpoint } from "../model/endpoint.ts";
import { LbError } from "../model/errors.ts";
import type { Random } from "../model/random.ts";
import { type ProbeResult, sendProbe } from "../probe/http-probe.ts";
import { Prober } from "../probe/prober.ts";
import type { FirstProbe } from "../supervisor/worker-process.ts";

export interface InstanceProbesOptions {
  readonly settings: ActiveSettings;
  readonly health: HealthTracker;
  readonly clock: Clock;
  readonly random: Random;
  /** Where an instance answers plain HTTP; its private socket, which the roster names, does not. */
  readonly directAddress: (endpoint: Endpoint) => Address;
}

/** A new worker is probed at this pace, or at that of the settings if it is faster: somebody waits for it. */
const verifyPauseMs = 250;

/** Active health checks of our own instances, on the port that each has of its own. */
export class InstanceProbes {
  readonly #options: InstanceProbesOptions;
  readonly #prober: Prober;

  constructor(options: InstanceProbesOptions) {
    this.#options = options;
    const { settings, clock, random, health, directAddress } = options;
    this.#prober = new Prober({
      settings,
      clock,
      random,
      addressOf: directAddress,
      report: (endpoint, { kind }) => health.observeProbe(endpoint, kind === "up"),
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
    const { settings, clock } = this.#options;
    const startedAt = clock.now();
    let inARow = 0;
    for (;;) {
      const result = await this.#probeNow(endpoint);
      inARow = result.kind === "up" ? inARow + 1 : 0;
      if (inARow >= settings.healthyAfter) return;
      if (clock.now() - startedAt >= withinMs) {
        throw new LbError("LB_PROBE", `GET ${settings.path}: ${found(result)} after ${Math.round(withinMs)} ms`);
      }
      await this.#pause();
    }
  }

  /** Probes one that listens, and is not ready before a probe has succeeded. */
  first(endpoint: Endpoint): FirstProbe {
    const { path } = this.#options.settings;
    let stopped = false;
    const begun = {
      found: `GET ${path} has not been answered`,
      stop: () => {
        stopped = true;
      },
    };
    const probe = async () => {
      while (!stopped) {
        const result = await this.#probeNow(endpoint);
        if (result.kind === "up") return;
        begun.found = `GET ${path}: ${found(result)}`;
        await this.#pause();
      }
    };
    return Object.assign(begun, { passed: probe() });
  }

  #probeNow(endpoint: Endpoint): Promise<ProbeResult> {
    const { settings, clock, directAddress } = this.#options;
    return new Promise((found) => {
      const address = directAddress(endpoint);
      sendProbe({ ...settings, address, secure: false, clock }, { found, closed: () => {} });
    });
  }

  #pause(): Promise<void> {
    const { settings, clock } = this.#options;
    const pauseMs = Math.min(settings.intervalMs, verifyPauseMs);
    return new Promise((resolve) => void clock.after(pauseMs, resolve, { keepAlive: true }));
  }

  close(): Promise<void> {
    return this.#prober.close();
  }
}

function found(result: ProbeResult): string {
  if (result.kind === "up" || result.reason === "status") return `status ${result.status}`;
  return result.reason === "timeout" ? "no answer" : result.error.message;
}
