import type { Endpoint } from "../model/endpoint.ts";
import type { HealthSettings } from "../options/health-options.ts";
import { EjectionHistory } from "./ejection-history.ts";
import { FailWindow } from "./fail-window.ts";
import { ProbeCounter, type ProbeThresholds, type ProbeVerdict } from "./probe-counter.ts";
import type { EjectionCause, HealthState } from "./state.ts";

/** Without a prober of ours, whoever calls `observeProbe` has made up his mind. */
const EACH_RESULT_COUNTS: ProbeThresholds = { healthyAfter: 1, unhealthyAfter: 1 };

/** The counters and the state of one endpoint. Only the tracker, which knows the others, changes the state. */
export class EndpointHealth {
  // What each request touches comes first, so that with thousands of endpoints it costs one cache line.
  /** Outcomes of requests are counted: the endpoint is healthy and tracked. */
  counting = false;
  /** Failures since the last success. */
  streak = 0;
  /** Since the last comparison of success rates. */
  successes = 0;
  failures = 0;
  readonly endpoint: Endpoint;
  /** When the open trial began; undefined when none is open. */
  trialLeasedAt: number | undefined;
  #settings: HealthSettings;
  #state: HealthState;
  #tracked = true;
  // Made when first needed, which for most endpoints is never.
  #fails: FailWindow | undefined;
  #probe: ProbeCounter | undefined;
  #history: EjectionHistory | undefined;

  constructor(endpoint: Endpoint, settings: HealthSettings, state: HealthState) {
    this.endpoint = endpoint;
    this.#settings = settings;
    this.#state = state;
    this.counting = state.kind === "healthy";
  }

  get state(): HealthState {
    return this.#state;
  }

  set state(state: HealthState) {
    this.#state = state;
    this.counting = state.kind === "healthy";
  }

  /** Goes by these from now on. What was counted by others, but for its run of failures, is forgotten. */
  use(settings: HealthSettings): void {
    this.#settings = settings;
    this.#fails = undefined;
    this.#probe = undefined;
    this.#history = undefined;
  }

  /** False once the endpoint has left: what old requests to it still tell is of no use. */
  get tracked(): boolean {
    return this.#tracked;
  }

  left(): void {
    this.#tracked = false;
    this.counting = false;
  }

  /** Counts a failure of a healthy endpoint that counts for `passive`; true when it is one too many. */
  exceedsMaxFails(now: number): boolean {
    const { passive } = this.#settings;
    if (passive === false) return false;
    this.#fails ??= new FailWindow(passive.maxFails, passive.failTimeoutMs);
    return this.#fails.add(now);
  }

  countProbe(healthy: boolean): ProbeVerdict {
    const { active } = this.#settings;
    this.#probe ??= new ProbeCounter(active === false ? EACH_RESULT_COUNTS : active);
    return this.#probe.add(healthy);
  }

  /** Counts an ejection for `cause` and gives its length in milliseconds. */
  ejectionMs(cause: EjectionCause, now: number): number {
    const { passive, outlier } = this.#settings;
    switch (cause) {
      case "fails":
        return passive === false ? 0 : passive.failTimeoutMs;
      case "consecutive-failures":
      case "success-rate":
        if (outlier === false) return 0;
        this.#history ??= new EjectionHistory(outlier);
        return this.#history.eject(now);
    }
  }

  recovered(now: number): void {
    this.#history?.recovered(now);
  }

  /** What was counted before belongs to a former state. */
  forgetRequests(): void {
    this.successes = 0;
    this.failures = 0;
    this.streak = 0;
    this.#fails?.clear();
  }
}
