import { inspect } from "node:util";
import type { Clock } from "@lb/core";

/**
 * Throws, or rejects, when something is wrong; what it returns is shown to trusted callers. `signal` is aborted once it
 * has taken too long.
 */
export type Check = (signal: AbortSignal) => unknown;

/** What one check said last. */
export interface CheckResult {
  readonly name: string;
  readonly status: "ok" | "failed";
  readonly durationMs: number;
  readonly error?: string;
  readonly details?: unknown;
}

export interface HealthChecksOptions {
  readonly checks: Readonly<Record<string, Check>>;
  readonly timeoutMs: number;
  readonly cacheMs: number;
  readonly clock: Clock;
}

/** What JSON cannot hold, such as a BigInt or a cycle, is described. */
function shown(details: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(details));
  } catch {
    return inspect(details, { depth: 3, breakLength: Number.POSITIVE_INFINITY });
  }
}

/** Whatever was thrown, as text. */
function reasonOf(error: unknown): string {
  const told = error instanceof Error ? error.message : error;
  return typeof told === "string" ? told : inspect(told, { depth: 0 });
}

/** Runs checks: all at once, never the same one twice at a time, and not more often than the cache says. */
export class HealthChecks {
  readonly #options: HealthChecksOptions;
  #running: Promise<readonly CheckResult[]> | undefined;
  #known: readonly CheckResult[] = [];
  #knownAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: HealthChecksOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async results(): Promise<readonly CheckResult[]> {
    const { checks, cacheMs, clock } = this.#options;
    if (clock.now() - this.#knownAtMs < cacheMs) return this.#known;
    this.#running ??= Promise.all(Object.entries(checks).map(([name, check]) => this.#run(name, check))).then(
      (results) => {
        this.#known = results;
        this.#knownAtMs = clock.now();
        this.#running = undefined;
        return results;
      },
    );
    return this.#running;
  }

  async #run(name: string, check: Check): Promise<CheckResult> {
    const { timeoutMs, clock } = this.#options;
    const startedAtMs = clock.now();
    const overdue = new AbortController();
    const deadline = new Promise<never>((_, reject) => {
      overdue.signal.addEventListener("abort", () => reject(overdue.signal.reason));
    });
    const timer = clock.after(timeoutMs, () => overdue.abort(new Error(`took longer than ${timeoutMs} ms`)));
    const durationMs = () => Math.round((clock.now() - startedAtMs) * 10) / 10;
    try {
      const details = await Promise.race([Promise.resolve(overdue.signal).then(check), deadline]);
      return {
        name,
        status: "ok",
        durationMs: durationMs(),
        ...(details === undefined ? {} : { details: shown(details) }),
      };
    } catch (error) {
      return { name, status: "failed", durationMs: durationMs(), error: reasonOf(error) };
    } finally {
      timer.cancel();
    }
  }
}
