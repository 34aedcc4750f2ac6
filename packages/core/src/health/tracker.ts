import type { Clock, Timer } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { firstErrorStatus } from "../model/failure-conditions.ts";
import { Listeners } from "../model/listeners.ts";
import type { Outcome } from "../model/outcome.ts";
import type { HealthSettings } from "../options/health-options.ts";
import { ejectionCap } from "./ejection-history.ts";
import { EndpointHealth } from "./endpoint-health.ts";
import { FailurePolicies } from "./failure-policies.ts";
import { type EjectionCause, type HealthChange, type HealthState, isEligible } from "./state.ts";
import { successRateOutliers } from "./success-rate.ts";

/**
 * What is known of every endpoint's health, and which of them may be given requests. Fed with outcomes and probe
 * results; does no I/O. Ejections end by the clock, without any request being needed.
 */
export class HealthTracker {
  #settings: HealthSettings;
  #policies: FailurePolicies;
  readonly #clock: Clock;
  readonly #listeners = new Listeners<HealthChange>();
  /** Made, and not told yet. */
  #changes: HealthChange[] = [];
  #tracked = new Map<Endpoint, EndpointHealth>();
  #eligible: readonly Endpoint[] | undefined;
  #panicking = false;

  /** Neither healthy nor on trial. The ejection cap counts them all, whatever took them out. */
  #out = 0;
  readonly #ejected = new Set<EndpointHealth>();
  #onTrial = 0;
  readonly #openTrials = new Set<Endpoint>();
  /** Healthy, and in a run of failures. */
  #streaks = 0;

  #expiry: Timer | undefined;
  #expiryAt = Number.POSITIVE_INFINITY;
  #comparison: Timer | undefined;

  constructor({ settings, clock }: { readonly settings: HealthSettings; readonly clock: Clock }) {
    this.#settings = settings;
    this.#policies = new FailurePolicies(settings);
    this.#clock = clock;
  }

  get settings(): HealthSettings {
    return this.#settings;
  }

  /** Goes by these from now on. Endpoints keep their state, but those that only probes would bring back, if there are none any more. */
  use(settings: HealthSettings): void {
    this.#settings = settings;
    this.#policies = new FailurePolicies(settings);
    this.#comparison?.cancel();
    this.#comparison = undefined;
    const now = this.#clock.now();
    for (const health of this.#tracked.values()) {
      health.use(settings);
      const { kind } = health.state;
      if (settings.active === false && (kind === "probe-down" || kind === "unprobed")) this.#recover(health);
    }
    this.#eligible = undefined;
    this.#respectCap(now);
    this.#awaitExpiry();
    this.#tell();
  }

  /** Called after every change of an endpoint's state, not for endpoints that come and go. Returns the unsubscribe call. */
  subscribe(listener: (change: HealthChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Replaces the endpoints. Those that stay (the same objects) keep their state; new ones start healthy, or unprobed. */
  track(endpoints: readonly Endpoint[]): void {
    const now = this.#clock.now();
    const { active } = this.settings;
    const before = this.#tracked;
    this.#tracked = new Map();
    for (const endpoint of endpoints) {
      const known = before.get(endpoint);
      before.delete(endpoint);
      if (known !== undefined) {
        this.#tracked.set(endpoint, known);
        continue;
      }
      const kind = active !== false && active.requireFirstProbe ? "unprobed" : "healthy";
      const health = new EndpointHealth(endpoint, this.settings, { kind, since: now });
      this.#tracked.set(endpoint, health);
      this.#count(health, 1);
    }
    for (const health of before.values()) {
      this.#count(health, -1);
      health.left();
    }
    this.#eligible = undefined;
    this.#respectCap(now);
    this.#awaitExpiry();
    this.#tell();
  }

  /** The record of a tracked endpoint. */
  of(endpoint: Endpoint): EndpointHealth | undefined {
    return this.#tracked.get(endpoint);
  }

  /** Who may be given requests: never empty while any endpoint is tracked. The same array until something changes. */
  eligible(): readonly Endpoint[] {
    if (this.#eligible !== undefined) return this.#eligible;
    const all = [...this.#tracked.keys()];
    const inService = all.length - this.#out;
    this.#panicking = all.length > 0 && (inService === 0 || inService < this.settings.panicThreshold * all.length);
    this.#eligible = Object.freeze(
      this.#panicking || this.#out === 0
        ? all
        : all.filter((endpoint) => isEligible(this.#tracked.get(endpoint)!.state)),
    );
    return this.#eligible;
  }

  /** So few are eligible that health is ignored: {@link HealthSettings.panicThreshold}. */
  get panicking(): boolean {
    this.eligible();
    return this.#panicking;
  }

  /** Takes the outcome of a request to `endpoint`, the first one after an ejection as that of the trial. */
  observe(endpoint: Endpoint, outcome: Outcome): void {
    const health = this.#tracked.get(endpoint);
    if (health === undefined) return;
    if (health.state.kind === "trial") this.endTrial(health, outcome);
    else this.record(health, outcome);
  }

  /** As `observe`, for those who keep what `of` gave and know which request is a trial. */
  record(health: EndpointHealth, outcome: Outcome): void {
    // Requests from before or during an ejection say nothing that a trial or a probe doesn't say better.
    if (!health.counting) return;
    switch (outcome.kind) {
      case "response":
        if (outcome.status < firstErrorStatus) this.#countSuccess(health);
        else this.#judge(health, outcome);
        return;
      case "success":
        this.#countSuccess(health);
        return;
      case "failure":
        this.#judge(health, outcome);
        return;
      case "cancelled":
        return;
    }
  }

  /** Takes one probe's result; thresholds apply where `active` is set, else each result counts. */
  observeProbe(endpoint: Endpoint, healthy: boolean): void {
    const health = this.#tracked.get(endpoint);
    if (health === undefined) return;
    const verdict = health.countProbe(healthy);
    const { kind } = health.state;
    if (verdict === "down" && kind !== "probe-down") {
      this.#move(health, { kind: "probe-down", since: this.#clock.now() });
    } else if (verdict === "up" && (kind === "probe-down" || kind === "unprobed")) {
      this.#recover(health);
    }
    this.#tell();
  }

  /** How many endpoints are on trial: while 0, which is nearly always, requests need not look at `openTrials`. */
  get onTrial(): number {
    return this.#onTrial;
  }

  /** Endpoints whose trial is under way: other requests go elsewhere if they can. */
  openTrials(): ReadonlySet<Endpoint> {
    const now = this.#clock.now();
    for (const endpoint of this.#openTrials) {
      const health = this.#tracked.get(endpoint)!;
      const { state, trialLeasedAt } = health;
      if (state.kind === "trial" && now - trialLeasedAt! > this.#patience(state.cause)) this.#closeTrial(health);
    }
    return this.#openTrials;
  }

  /** A request goes to `health`'s endpoint; true when it is a trial, so that its outcome belongs to `endTrial`. */
  startTrial(health: EndpointHealth): boolean {
    if (health.state.kind !== "trial") return false;
    health.trialLeasedAt = this.#clock.now();
    this.#openTrials.add(health.endpoint);
    return true;
  }

  endTrial(health: EndpointHealth, outcome: Outcome): void {
    const { state } = health;
    if (state.kind !== "trial" || !health.tracked) return;
    this.#closeTrial(health);
    if (this.#policies.counts(state.cause, outcome)) this.#eject(health, state.cause);
    else if (outcome.kind !== "cancelled") this.#recover(health);
    this.#tell();
  }

  /** Forgets all endpoints and leaves no timer. */
  close(): void {
    this.track([]);
    this.#comparison?.cancel();
    this.#comparison = undefined;
  }

  #countSuccess(health: EndpointHealth): void {
    if (health.streak !== 0) this.#endStreak(health);
    health.successes += 1;
    this.#awaitComparison();
  }

  /** Each policy by itself: what is one's failure may be another's success. */
  #judge(health: EndpointHealth, outcome: Outcome): void {
    const { fails, run, rate } = this.#policies;
    if (rate.count(outcome)) health.failures += 1;
    else health.successes += 1;
    this.#awaitComparison();
    if (run.count(outcome)) {
      health.streak += 1;
      if (health.streak === 1) this.#streaks += 1;
    } else if (health.streak !== 0) this.#endStreak(health);

    if (fails.count(outcome) && health.exceedsMaxFails(this.#clock.now())) this.#eject(health, "fails");
    else if (this.#failsAlways(health)) this.#eject(health, "consecutive-failures");
    this.#tell();
  }

  #failsAlways({ streak }: EndpointHealth): boolean {
    const { outlier } = this.settings;
    if (outlier === false || outlier.consecutiveFailures === false || streak < outlier.consecutiveFailures)
      return false;
    const others = this.#tracked.size - this.#out - this.#onTrial;
    return this.#streaks < others;
  }

  #endStreak(health: EndpointHealth): void {
    health.streak = 0;
    this.#streaks -= 1;
  }

  #eject(health: EndpointHealth, cause: EjectionCause): void {
    if (this.#out + 1 > ejectionCap(this.#tracked.size, this.settings.maxEjectedShare)) return;
    const now = this.#clock.now();
    this.#move(health, { kind: "ejected", since: now, until: now + health.ejectionMs(cause, now), cause });
    this.#awaitExpiry();
  }

  /** How long a trial may stay without an outcome: as long as its cause first ejects. */
  #patience(cause: EjectionCause): number {
    const { passive, outlier } = this.settings;
    switch (cause) {
      case "fails":
        return passive === false ? 0 : passive.failTimeoutMs;
      case "consecutive-failures":
      case "success-rate":
        return outlier === false ? 0 : outlier.baseEjectionMs;
    }
  }

  #recover(health: EndpointHealth): void {
    const now = this.#clock.now();
    health.recovered(now);
    this.#move(health, { kind: "healthy", since: now });
  }

  #move(health: EndpointHealth, to: HealthState): void {
    const from = health.state;
    this.#count(health, -1);
    health.forgetRequests();
    health.state = to;
    this.#count(health, 1);
    this.#eligible = undefined;
    this.#changes.push({ endpoint: health.endpoint, from, to });
  }

  /** The last thing done in every call from outside: whoever hears of a change finds all of them made. */
  #tell(): void {
    if (this.#changes.length === 0) return;
    const changes = this.#changes;
    this.#changes = [];
    this.#listeners.emit(changes);
  }

  /** Adds one endpoint in its present state to the tallies (`by` 1) or takes it out (−1). */
  #count(health: EndpointHealth, by: 1 | -1): void {
    switch (health.state.kind) {
      case "healthy":
        if (health.streak !== 0) this.#streaks += by;
        return;
      case "trial":
        this.#onTrial += by;
        if (by === -1) this.#closeTrial(health);
        return;
      case "ejected":
        this.#out += by;
        if (by === 1) this.#ejected.add(health);
        else this.#ejected.delete(health);
        return;
      case "unprobed":
      case "probe-down":
        this.#out += by;
        return;
    }
  }

  #closeTrial(health: EndpointHealth): void {
    health.trialLeasedAt = undefined;
    this.#openTrials.delete(health.endpoint);
  }

  /** A roster that shrank may leave more ejected than the cap allows: those that would be back first are back now. */
  #respectCap(now: number): void {
    const excess = this.#ejected.size - ejectionCap(this.#tracked.size, this.settings.maxEjectedShare);
    if (excess <= 0) return;
    const firstBack = [...this.#ejected].sort((a, b) => ejectedUntil(a) - ejectedUntil(b));
    for (const health of firstBack.slice(0, excess)) this.#beginTrial(health, now);
  }

  #beginTrial(health: EndpointHealth, now: number): void {
    const { state } = health;
    if (state.kind === "ejected") this.#move(health, { kind: "trial", since: now, cause: state.cause });
  }

  /** One timer, for the ejection that ends first. */
  #awaitExpiry(): void {
    let first = Number.POSITIVE_INFINITY;
    for (const health of this.#ejected) first = Math.min(first, ejectedUntil(health));
    if (first === this.#expiryAt) return;
    this.#expiry?.cancel();
    this.#expiryAt = first;
    this.#expiry =
      first === Number.POSITIVE_INFINITY
        ? undefined
        : this.#clock.after(Math.max(0, first - this.#clock.now()), () => this.#endExpired());
  }

  #endExpired(): void {
    this.#expiryAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    for (const health of [...this.#ejected]) {
      if (ejectedUntil(health) <= now) this.#beginTrial(health, now);
    }
    this.#awaitExpiry();
    this.#tell();
  }

  /** The first outcome after a comparison arms the next one, so an idle tracker keeps no timer. */
  #awaitComparison(): void {
    const { outlier } = this.settings;
    if (this.#comparison !== undefined || outlier === false || outlier.successRate === false) return;
    const { intervalMs, successRate } = outlier;
    this.#comparison = this.#clock.after(intervalMs, () => {
      this.#comparison = undefined;
      const healthy = [...this.#tracked.values()].filter(({ state }) => state.kind === "healthy");
      const outliers = successRateOutliers(healthy, successRate);
      for (const health of healthy) {
        health.successes = 0;
        health.failures = 0;
      }
      for (const health of outliers) this.#eject(health, "success-rate");
      this.#tell();
    });
  }
}

function ejectedUntil({ state }: EndpointHealth): number {
  return state.kind === "ejected" ? state.until : Number.NEGATIVE_INFINITY;
}
