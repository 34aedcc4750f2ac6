import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { LbError, OptionError } from "../model/errors.ts";
import { maxInstances } from "../options/autoscale-options.ts";
import { otherCertificates } from "../options/certificate-places.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { CertificateSettings } from "../options/https-options.ts";
import type { ReloadOptions, ReloadSettings } from "../options/reload-options.ts";
import { parseReloadOptions } from "../options/reload-options.ts";
import { parseOptions, wholeNumber } from "../options/validation.ts";
import type { CanaryReport } from "../supervisor/canary-judge.ts";
import type { SuccessorChecks } from "../supervisor/replacement.ts";
import { rollingReload } from "../supervisor/rolling-reload.ts";
import type { Slot } from "../supervisor/slot.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { Turns } from "../supervisor/turns.ts";
import type { BackendPrograms } from "./backend-programs.ts";
import { CanaryTrial } from "./canary-trial.ts";
import type { ClusterRoster } from "./cluster-roster.ts";
import type { ClusterState } from "./cluster-state.ts";
import type { IssuedCertificates } from "./issued-certificates.ts";
import { restartSettings } from "./restart-settings.ts";
import type { Traffic } from "./traffic.ts";

/** What a reload did. */
export interface ReloadReport {
  /** Instances that run anew, 1…N. */
  readonly replaced: readonly number[];
  readonly durationMs: number;
  /** What the canary was judged by, if there was one. */
  readonly canary?: CanaryReport;
}

export interface ClusterOperationsOptions {
  readonly settings: ClusterSettings;
  readonly supervisor: Supervisor;
  readonly traffic: Traffic;
  readonly roster: ClusterRoster;
  readonly checks: SuccessorChecks;
  readonly state: ClusterState;
  readonly clock: Clock;
  readonly issued: IssuedCertificates | undefined;
  readonly programs: BackendPrograms;
}

/** What an operator does to a running cluster. Whatever starts or ends workers takes turns. */
export class ClusterOperations {
  readonly #options: ClusterOperationsOptions;
  readonly #turns = new Turns();
  readonly #closing = new AbortController();
  #reloadWaits = false;

  constructor(options: ClusterOperationsOptions) {
    this.#options = options;
  }

  /** Nothing begins any more. */
  get closing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** What everything else waits for. */
  first(start: () => Promise<void>): Promise<void> {
    return this.#turns.take(start);
  }

  async reload(options: ReloadOptions = {}): Promise<ReloadReport> {
    const { settings, canary } = parseReloadOptions(options);
    const { traffic, roster, clock } = this.#options;
    const reached = (endpoint: Endpoint) => roster.reached(endpoint);
    const trial = canary && new CanaryTrial({ settings: canary, traffic, reached, clock });
    return this.#turns.take(() => this.#rollAll(settings, trial));
  }

  /** A reload that nobody awaits; if one is waiting for its turn already, that one will do. */
  reloadSoon(): void {
    if (this.#reloadWaits) return;
    this.#reloadWaits = true;
    const turn = this.#turns.take(() => {
      this.#reloadWaits = false;
      return this.#rollAll(parseReloadOptions({}).settings);
    });
    // The progress tells of it.
    turn.catch(() => {});
  }

  async restart(id: number): Promise<void> {
    this.#slot(id);
    await this.#turns.take(() => this.#roll([this.#slot(id)], restartSettings));
  }

  async scale(instances: number): Promise<void> {
    const size = parseOptions(wholeNumber(1, maxInstances), instances, "instances");
    const { supervisor, settings } = this.#options;
    if (settings.instances === 0) throw new LbError("LB_NO_APP", "There is no app here that could have instances.");
    await this.#turns.take(() => supervisor.scale(size, settings.drainTimeoutMs));
  }

  async drain(id: number): Promise<void> {
    this.#closing.signal.throwIfAborted();
    const { supervisor, traffic } = this.#options;
    const slot = this.#slot(id);
    const others = supervisor.slots.some((other) => other !== slot && other.endpoints.length > 0);
    if (!slot.held && !others) {
      const remedy = "Resume or start another one first.";
      throw new LbError("LB_LAST_INSTANCE", `Instance ${id} is the only one that takes traffic. ${remedy}`);
    }
    const { endpoint } = slot.snapshot();
    slot.hold(true);
    if (endpoint !== undefined) await traffic.settled(endpoint);
  }

  async reloadCertificates(): Promise<void> {
    this.#closing.signal.throwIfAborted();
    await this.#options.traffic.rereadCertificates();
    this.#options.issued?.hurry();
  }

  async setCertificates(given: readonly CertificateSettings[]): Promise<void> {
    this.#closing.signal.throwIfAborted();
    const { settings, traffic } = this.#options;
    await traffic.setCertificates(otherCertificates(settings.front.https, given));
  }

  send(id: number, message: unknown): boolean {
    return this.#slot(id).send(message);
  }

  resume(id: number): void {
    this.#closing.signal.throwIfAborted();
    this.#slot(id).hold(false);
  }

  /** The cluster closes: what runs is taken back, and nothing else begins (`LB_CLOSED`). */
  close(): void {
    const closed = new LbError("LB_CLOSED", "The cluster is closing, and takes no more operations.");
    this.#turns.close(closed);
    this.#closing.abort(closed);
    this.#options.programs.abandon(closed);
    this.#options.supervisor.abandonStart();
  }

  /** The app first: what it asks of the programs beside it is likely to be new. */
  async #rollAll(how: ReloadSettings, trial?: CanaryTrial): Promise<ReloadReport> {
    const { supervisor, programs } = this.#options;
    const report = await this.#roll(supervisor.slots, how, trial);
    await programs.reload(how);
    return report;
  }

  async #roll(slots: readonly Slot[], how: ReloadSettings, trial?: CanaryTrial): Promise<ReloadReport> {
    const { settings, supervisor, checks, state, clock } = this.#options;
    const startedAt = clock.now();
    const replaced = await rollingReload({
      slots,
      settings: how,
      sparePort: () => supervisor.sparePort(),
      checks,
      trial,
      closing: this.#closing.signal,
      graceMs: settings.drainTimeoutMs,
      clock,
      progress: (progress) => state.reloading(progress),
    });
    const report = { replaced, durationMs: Math.round(clock.now() - startedAt) };
    return trial?.report === undefined ? report : { ...report, canary: trial.report };
  }

  #slot(id: number): Slot {
    const { slots } = this.#options.supervisor;
    const slot = slots[id - 1];
    if (slot !== undefined) return slot;
    throw new OptionError("id", id, `give the number of an instance, from 1 to ${slots.length}`);
  }
}
