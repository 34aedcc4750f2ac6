import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

/** What came of one thing that a user did. */
export type Done =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly bytes: number;
      /** Who answered, as `X-Backend-Server` says. */
      readonly by: string | undefined;
    }
  /** Something that has no status: a message and its answer. */
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed"; readonly why: string };

/** Latencies in milliseconds; from the HDR histogram of Node, with three digits that are right. `null`: nothing was measured. */
export interface Latencies {
  readonly min: number | null;
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
}

/** What was counted under one name. */
export interface Counted {
  readonly count: number;
  /** No answer, or one with 4xx or 5xx. */
  readonly failed: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly failures: Readonly<Record<string, number>>;
  readonly bytes: number;
  readonly latencyMs: Latencies;
}

/** Names are the scenario's; whoever makes them of ids has the rest counted together. */
const maxNames = 100;
const others = "(others)";
const maxReasons = 50;

/** Counts what users do. */
export class Tally {
  readonly all = new Counting();
  readonly byName = new Map<string, Counting>();
  readonly instances = new Map<string, number>();
  readonly checks = new Map<string, { passed: number; failed: number }>();

  add(name: string, done: Done, latencyMs: number): void {
    this.all.add(done, latencyMs);
    const known = this.byName.has(name) || this.byName.size < maxNames ? name : others;
    const own = this.byName.get(known) ?? new Counting();
    this.byName.set(known, own);
    own.add(done, latencyMs);
    if (
      done.kind === "answered" &&
      done.by !== undefined &&
      (this.instances.has(done.by) || this.instances.size < 1_024)
    ) {
      this.instances.set(done.by, (this.instances.get(done.by) ?? 0) + 1);
    }
  }

  check(name: string, passed: boolean): void {
    const known = this.checks.has(name) || this.checks.size < maxNames ? name : others;
    const counts = this.checks.get(known) ?? { passed: 0, failed: 0 };
    this.checks.set(known, counts);
    counts[passed ? "passed" : "failed"] += 1;
  }
}

export class Counting {
  #count = 0;
  #failed = 0;
  #bytes = 0;
  readonly #statuses = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  /** Microseconds, an hour at most. */
  readonly #latency: RecordableHistogram = createHistogram({ lowest: 1, highest: 3_600_000_000, figures: 3 });

  get count(): number {
    return this.#count;
  }

  get failed(): number {
    return this.#failed;
  }

  add(done: Done, latencyMs: number): void {
    this.#count += 1;
    switch (done.kind) {
      case "answered":
        this.#bytes += done.bytes;
        if (done.status >= 400) this.#failed += 1;
        increase(this.#statuses, String(done.status));
        break;
      case "failed":
        this.#failed += 1;
        increase(this.#failures, done.why);
        break;
      case "succeeded":
    }
    // What failed at once would make the others look fast.
    if (done.kind !== "failed")
      this.#latency.record(Math.min(3_600_000_000, Math.max(1, Math.round(latencyMs * 1_000))));
  }

  /** Of the values so far, in milliseconds. */
  quantile(share: number): number | null {
    return this.#latency.count === 0 ? null : this.#latency.percentile(share * 100) / 1_000;
  }

  get counted(): Counted {
    const { count } = this.#latency;
    const of = (value: number) => (count === 0 ? null : value / 1_000);
    return {
      count: this.#count,
      failed: this.#failed,
      statuses: Object.fromEntries(this.#statuses),
      failures: Object.fromEntries(this.#failures),
      bytes: this.#bytes,
      latencyMs: {
        min: of(this.#latency.min),
        mean: of(this.#latency.mean),
        p50: this.quantile(0.5),
        p90: this.quantile(0.9),
        p95: this.quantile(0.95),
        p99: this.quantile(0.99),
        p999: this.quantile(0.999),
        max: of(this.#latency.max),
      },
    };
  }
}

function increase(counts: Map<string, number>, name: string): void {
  if (counts.has(name) || counts.size < maxReasons) counts.set(name, (counts.get(name) ?? 0) + 1);
}
