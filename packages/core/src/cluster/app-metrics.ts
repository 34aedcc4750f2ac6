import { AppMetricsBook } from "../facts/app-metrics-book.ts";
import { readAppMetrics } from "../ipc/app-metrics.ts";
import type { MergedMetrics } from "../model/app-metrics.ts";
import type { Clock, Timer } from "../model/clock.ts";
import type { SupervisorEvent } from "../supervisor/events.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";

export interface AppMetricsOptions {
  readonly supervisor: Pick<Supervisor, "subscribe" | "askMetrics">;
  readonly clock: Clock;
}

/** An instance that has not answered by then (it is blocked, or stopped) is told of as it last was. */
const answerMs = 1_000;

/** Asks the instances for their apps' own metrics, whenever somebody wants to see them; see `AppMetricsBook`. */
export class AppMetrics {
  readonly #options: AppMetricsOptions;
  readonly #book = new AppMetricsBook();
  /** Endpoints whose apps have such metrics. */
  readonly #having = new Set<string>();
  #asked = 0;
  #round: Round | undefined;

  constructor(options: AppMetricsOptions) {
    this.#options = options;
    options.supervisor.subscribe((event) => this.#noted(event));
  }

  /** Who asks while others wait gets what they get. `patienceMs`: how long he waits. */
  async gather(patienceMs = Number.POSITIVE_INFINITY): Promise<MergedMetrics> {
    this.#round ??= this.#ask();
    const round = this.#round;
    await this.#within(Math.min(patienceMs / 2, answerMs), round.done);
    return this.#book.merged(round.answered, round.awaited.size);
  }

  #ask(): Round {
    // Where no app has any, nobody is asked, and nobody waits.
    const asked = this.#having.size === 0 ? [] : this.#options.supervisor.askMetrics(++this.#asked);
    const awaited = new Set(asked.flatMap(({ id }) => (this.#having.has(id) ? id : [])));
    let end = () => {};
    const done = new Promise<void>((resolve) => {
      end = resolve;
    });
    const round = { awaited, answered: new Set<string>(), done, end };
    if (awaited.size === 0) end();
    void this.#within(answerMs, done).then(() => {
      this.#round = undefined;
    });
    return round;
  }

  async #within(ms: number, done: Promise<void>): Promise<void> {
    let patience: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      patience = this.#options.clock.after(ms, resolve);
    });
    await Promise.race([done, late]);
    patience?.cancel();
  }

  #noted(event: SupervisorEvent): void {
    if (event.kind === "ended") {
      this.#having.delete(event.endpoint.id);
      this.#book.ended(event.endpoint.id);
      this.#settle(event.endpoint.id, false);
    }
    if (event.kind !== "metrics") return;
    const { endpoint, told } = event;
    this.#having.add(endpoint.id);
    const families = told && readAppMetrics(told.text);
    if (told === undefined || families === undefined) return;
    this.#book.take(endpoint.id, endpoint.slot + 1, families);
    if (told.asked === this.#asked) this.#settle(endpoint.id, true);
  }

  #settle(endpointId: string, answered: boolean): void {
    const round = this.#round;
    if (round === undefined || !round.awaited.delete(endpointId)) return;
    if (answered) round.answered.add(endpointId);
    if (round.awaited.size === 0) round.end();
  }
}

interface Round {
  readonly awaited: Set<string>;
  readonly answered: Set<string>;
  readonly done: Promise<void>;
  readonly end: () => void;
}
