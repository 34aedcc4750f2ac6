import { inFlightOf } from "../control/status.ts";
import { History } from "../facts/history.ts";
import { latenciesSince } from "../facts/latency-histogram.ts";
import { failuresIn, noRequests, type RequestCounts, requestsIn } from "../facts/request-counts.ts";
import type { TrafficTotals } from "../facts/traffic-counts.ts";
import type { Vitals, WorkerVitals } from "../ipc/messages.ts";
import { type Clock, every, type Timer, type WallClock } from "../model/clock.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { VitalsMeter } from "../worker/vitals-meter.ts";
import type { Traffic } from "./traffic.ts";

/** What is asked for once a second. */
export interface HistorySources {
  totals(): TrafficTotals;
  /** Requests in progress, and those that wait. */
  load(): { readonly inFlight: number; readonly waiting: number };
  /** Of the instances that said how they are. */
  vitals(): readonly WorkerVitals[];
}

export interface TrafficHistoryOptions {
  readonly sources: HistorySources;
  readonly clock: Clock;
  readonly wallClock: WallClock;
}

const sampleMs = 1_000;

/** Keeps what a cluster's traffic was like in the last day, and how the primary's own process is. */
export class TrafficHistory {
  readonly history = new History();
  readonly #options: TrafficHistoryOptions;
  readonly #meter: VitalsMeter;
  readonly #timer: Timer;
  #primary: Vitals | undefined;
  #before = noRequests;
  #sampledAt: number;

  constructor(options: TrafficHistoryOptions) {
    this.#options = options;
    this.#sampledAt = options.clock.now();
    this.#meter = new VitalsMeter(options.clock);
    this.#timer = every(options.clock, sampleMs, () => this.#sample());
  }

  get primary(): Vitals | undefined {
    return this.#primary;
  }

  stop(): void {
    this.#timer.cancel();
    this.#meter.stop();
  }

  #sample(): void {
    const own = this.#meter.measure();
    this.#primary = own;
    const { sources, clock, wallClock } = this.#options;
    const { requests: total, connections } = sources.totals();
    const [before, now] = [this.#before, clock.now()];
    const all = [own, ...sources.vitals()];
    const since = (of: (counts: RequestCounts) => number) => of(total) - of(before);
    this.history.add({
      at: wallClock(),
      ms: Math.max(1, now - this.#sampledAt),
      requests: since(requestsIn),
      failures: since(failuresIn),
      clientErrors: since(({ app, front }) => app["4xx"] + front["4xx"]),
      bytesIn: since(({ bytesIn }) => bytesIn),
      bytesOut: since(({ bytesOut }) => bytesOut),
      latency: latenciesSince(before.total, total.total),
      ...sources.load(),
      connections,
      cpu: all.reduce((sum, { cpu }) => sum + cpu, 0),
      rssBytes: all.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
      loopLagMs: Math.max(...all.map(({ loopLagMs = 0 }) => loopLagMs)),
    });
    this.#before = total;
    this.#sampledAt = now;
  }
}

export interface ClusterHistoryParts extends Pick<TrafficHistoryOptions, "clock" | "wallClock"> {
  readonly traffic: Traffic;
  readonly supervisor: Supervisor;
}

/** That of a cluster. */
export function trafficHistory({ traffic, supervisor, ...clocks }: ClusterHistoryParts): TrafficHistory {
  const sources: HistorySources = {
    totals: () => traffic.totals(),
    load: () => {
      const { balancer, backends } = traffic.status();
      const all = [balancer, ...Object.values(backends)];
      return { inFlight: inFlightOf(all), waiting: all.reduce((sum, { waiting }) => sum + waiting, 0) };
    },
    vitals: () => supervisor.snapshot().flatMap(({ vitals }) => vitals ?? []),
  };
  return new TrafficHistory({ sources, ...clocks });
}
