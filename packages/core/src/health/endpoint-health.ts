import type { Endpoint } from "../model/endpoint.ts";
import type { FailureReason } from "../model/outcome.ts";
import { EjectionHistory } from "./ejection-history.ts";
import { FailWindow } from "./fail-window.ts";
import { ProbeCounter, type ProbeThresholds, type ProbeVerdict } from "./probe-counter.ts";
import type { HealthSettings } from "./settings.ts";
import type { EjectionCause, HealthState } from "./state.ts";

/** Without a prober of ours, whoever calls `observeProbe` has made up his mind. */
const EACH_RESULT_COUNTS: ProbeThresholds = { healthyAfter: 1, unhealthyAfter: 1 };

/** The counters and the state of one endpoint. Only the tracker, which knows the others, changes the state. */
export class EndpointHealth {
  readonly endpoint: Endpoint;
  readonly history: EjectionHistory | undefined;
  /** Outcomes of requests are counted. Follows from the other fields; here so that the hot path reads one of them. */
  counting = false;
  /** Since the last comparison of success rates. */
  successes = 0;
  failures = 0;
  /** Failures since the last success. */
  streak = 0;
  /** When the open trial began; undefined when none is open. */
  trialLeasedAt: number | undefined;
  readonly #settings: HealthSettings;
  readonly #fails: FailWindow | undefined;
  readonly #probe: ProbeCounter;
  #state: HealthState;
  #tracked = true;

  constructor(endpoint: Endpoint, settings: HealthSettings, state: HealthState) {
    const { passive, outlier } = settings;
    this.endpoint = endpoint;
    this.#state = state;
    this.counting = state.kind === "healthy";
    this.#settings = settings;
    this.#fails = passive === false ? undefined : new FailWindow(passive.maxFails, passive.failTimeoutMs);
    this.history = outlier === false ? undefined : new EjectionHistory(outlier);
    this.#probe = new ProbeCounter(settings.active === false ? EACH_RESULT_COUNTS : settings.active);
  }

  get state(): HealthState {
    return this.#state;
  }

  set state(state: HealthState) {
    this.#state = state;
    this.counting = state.kind === "healthy" && this.#tracked;
  }

  /** False once the endpoint has left: what old requests to it still tell is of no use. */
  get tracked(): boolean {
    return this.#tracked;
  }

  left(): void {
    this.#tracked = false;
    this.counting = false;
  }

  /** Counts a failure of a healthy endpoint; true when it is one too many for `passive`. */
  exceedsMaxFails(reason: FailureReason, now: number): boolean {
    return this.#fails !== undefined && this.counts("fails", reason) && this.#fails.add(now);
  }

  /** Whether a failure for `reason` is held against an endpoint by what ejected it. */
  counts(cause: EjectionCause, reason: FailureReason): boolean {
    const { passive, outlier } = this.#settings;
    switch (cause) {
      case "fails":
        return passive !== false && passive.on.includes(reason);
      case "consecutive-failures":
      case "success-rate":
        return outlier !== false;
    }
  }

  countProbe(healthy: boolean): ProbeVerdict {
    return this.#probe.add(healthy);
  }

  /** What was counted before belongs to a former state. */
  forgetRequests(): void {
    this.successes = 0;
    this.failures = 0;
    this.streak = 0;
    this.#fails?.clear();
  }
}
