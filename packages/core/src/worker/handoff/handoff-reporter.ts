import type { LoadReport } from "../../ipc/handoff-messages.ts";
import type { Clock, Timer } from "../../model/clock.ts";
import { contained } from "../agent-faults.ts";

/** At least as long between two reports, in milliseconds: ten a second cost nothing beside the requests they tell of. */
export const reportIntervalMs = 100;

export interface HandoffReporterOptions {
  readonly clock: Clock;
  readonly take: () => Omit<LoadReport, "loopLagMs">;
  readonly send: (report: LoadReport) => void;
}

/**
 * Reports when something has changed: at the end of the turn if the last report is some time ago, else when its time has
 * come. So one request in a quiet hour is known of at once, and a hundred thousand a second cost ten messages.
 */
export class HandoffReporter {
  readonly #options: HandoffReporterOptions;
  #changed = false;
  #stopped = false;
  #timer: Timer | undefined;
  #dueAt = 0;

  constructor(options: HandoffReporterOptions) {
    this.#options = options;
  }

  /** Called several times for each request: no allocation, no clock. */
  readonly change = (): void => {
    if (this.#changed) return;
    this.#changed = true;
    // A report that is due will tell it.
    if (this.#timer === undefined) setImmediate(this.#begin);
  };

  /** What has changed since the last report is told now: nothing is later. */
  stop(): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    if (this.#changed) this.#report(0);
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#stopped = true;
  }

  readonly #begin = contained("a report", () => {
    if (this.#timer === undefined && !this.#stopped) this.#report(0);
  });

  readonly #due = contained("a report", () => {
    this.#timer = undefined;
    if (this.#changed) this.#report(Math.max(0, this.#options.clock.now() - this.#dueAt));
  });

  #report(loopLagMs: number): void {
    const { clock, take, send } = this.#options;
    const taken = take();
    // When a response begins nobody says so, and it is to be known of: it is looked up for the next report.
    this.#changed = taken.unanswered > 0;
    send({ ...taken, loopLagMs });
    this.#dueAt = clock.now() + reportIntervalMs;
    this.#timer = clock.after(reportIntervalMs, this.#due);
  }
}
