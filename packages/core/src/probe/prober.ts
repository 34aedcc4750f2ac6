import type { Clock, Timer } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Random } from "../model/random.ts";
import type { ActiveSettings } from "../options/health-options.ts";
import { type ProbedAt, type ProbeResult, sendProbe } from "./http-probe.ts";

export interface ProberOptions {
  readonly settings: ActiveSettings;
  readonly clock: Clock;
  readonly random: Random;
  /** Where an endpoint is probed, asked when it joins. Default: at its address, in the clear. */
  readonly probedAt?: (endpoint: Endpoint) => ProbedAt;
  /** Takes each result; thresholds are applied by whoever keeps the health. */
  readonly report: (endpoint: Endpoint, result: ProbeResult) => void;
}

/** Active health checks: one HTTP request to each endpoint every so often, never two at a time to the same one. */
export class Prober {
  readonly #options: ProberOptions;
  readonly #probing = new Map<Endpoint, EndpointProber>();
  readonly #closing = new Set<Promise<void>>();
  #closed = false;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Replaces the endpoints that are probed; does nothing once closed. */
  update(endpoints: readonly Endpoint[]): void {
    if (this.#closed) return;
    const leaving = new Map(this.#probing);
    for (const endpoint of endpoints) {
      if (!leaving.delete(endpoint)) this.#probing.set(endpoint, new EndpointProber(endpoint, this.#options));
    }
    for (const [endpoint, prober] of leaving) {
      this.#probing.delete(endpoint);
      const closed = prober.close().then(() => {
        this.#closing.delete(closed);
      });
      this.#closing.add(closed);
    }
  }

  /** Stops all probes; resolves when their connections are closed. */
  async close(): Promise<void> {
    this.update([]);
    this.#closed = true;
    await Promise.all(this.#closing);
  }
}

type State =
  | { readonly kind: "waiting"; readonly timer: Timer }
  | { readonly kind: "probing"; readonly cancel: () => void }
  | { readonly kind: "closing"; readonly closed: () => void }
  | { readonly kind: "closed" };

class EndpointProber {
  readonly #endpoint: Endpoint;
  readonly #options: ProberOptions;
  readonly #at: ProbedAt;
  #state: State;

  constructor(endpoint: Endpoint, options: ProberOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#at = options.probedAt?.(endpoint) ?? { address: endpoint.address };
    const { intervalMs, jitter } = options.settings;
    this.#state = this.#wait(intervalMs * jitter * options.random());
  }

  close(): Promise<void> {
    const state = this.#state;
    switch (state.kind) {
      case "waiting":
        state.timer.cancel();
        this.#state = { kind: "closed" };
        return Promise.resolve();
      case "probing":
        return new Promise((closed) => {
          this.#state = { kind: "closing", closed };
          state.cancel();
        });
      case "closing":
      case "closed":
        return Promise.resolve();
    }
  }

  #wait(ms: number): State {
    return { kind: "waiting", timer: this.#options.clock.after(ms, () => this.#probe()) };
  }

  #probe(): void {
    const { settings, clock, report } = this.#options;
    const endpoint = this.#endpoint;
    const cancel = sendProbe(
      { ...settings, at: this.#at, clock },
      { found: (result) => report(endpoint, result), closed: () => this.#closed() },
    );
    this.#state = { kind: "probing", cancel };
  }

  #closed(): void {
    if (this.#state.kind === "closing") {
      const { closed } = this.#state;
      this.#state = { kind: "closed" };
      closed();
      return;
    }
    const { settings, random } = this.#options;
    this.#state = this.#wait(settings.intervalMs * (1 + settings.jitter * (2 * random() - 1)));
  }
}
