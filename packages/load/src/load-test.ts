import type { Clock } from "@lb/core";
import { systemClock } from "@lb/core/kit";
import { CookieJar } from "tough-cookie";
import { Agent } from "undici";
import { Pace } from "./pace.ts";
import { pause } from "./pause.ts";
import { type LoadReport, reportOf } from "./report.ts";
import { mostUsers, type Stage, usersAt, wholeDurationMs } from "./stages.ts";
import { Tally } from "./tally.ts";
import type { Thresholds } from "./thresholds.ts";
import { TestOver, User } from "./user.ts";

/** What a user does, once. Rejecting ends it, and counts only what was measured. */
export type Scenario = (user: User) => Promise<unknown>;

export interface LoadTestOptions {
  /** What is tested; paths of the scenario are from there. */
  readonly url: string;
  /** How many users, over time. */
  readonly stages: readonly Stage[];
  /** So often a second somebody goes through the scenario, and no oftener. Default: each as soon as he has done it. */
  readonly perSecond?: number | undefined;
  /** Default: asks for the URL. */
  readonly scenario?: Scenario | undefined;
  /** Of each request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** For an answer to begin, and for each further part of it. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Certificates are believed whoever has signed them. Default false. */
  readonly insecure?: boolean | undefined;
  readonly thresholds?: Thresholds | undefined;
  /** Ends it early; what was measured by then is reported. */
  readonly signal?: AbortSignal | undefined;
  /** Told every second. */
  readonly progress?: ((progress: LoadProgress) => void) | undefined;
  /** Of `think`. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** Where a test is. */
export interface LoadProgress {
  readonly elapsedMs: number;
  readonly durationMs: number;
  readonly users: number;
  readonly count: number;
  readonly failed: number;
  /** Over the whole time so far. */
  readonly p95Ms: number | null;
}

/** How long users who are at something when the time is over may take to end it. */
const graceMs = 2_000;
const lookMs = 50;

/** Puts a load on a URL and says what came of it. */
export async function loadTest(options: LoadTestOptions): Promise<LoadReport> {
  const { stages, url, thresholds = {} } = options;
  const test = new RunningTest(options, systemClock);
  await test.run();
  const { tally, tookMs, iterations, notBegun } = test;
  return reportOf(tally, { url, tookMs, users: mostUsers(stages), iterations, notBegun }, thresholds);
}

class RunningTest {
  readonly tally = new Tally();
  iterations = 0;
  tookMs = 0;
  notBegun: number | null = null;
  readonly #options: LoadTestOptions;
  readonly #over = new AbortController();
  readonly #clock: Clock;
  readonly #begunAt: number;
  readonly #pace: Pace | undefined;
  readonly #running = new Map<number, Promise<void>>();
  readonly #scenario: Scenario;
  #wanted = 0;
  /** No user begins again. */
  #ending = false;

  constructor(options: LoadTestOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#begunAt = clock.now();
    const { perSecond, url } = options;
    this.#pace = perSecond === undefined ? undefined : new Pace(perSecond, this.#begunAt);
    this.#scenario = options.scenario ?? ((user) => user.get(url));
  }

  async run(): Promise<void> {
    const { stages, signal, progress } = this.#options;
    const durationMs = wholeDurationMs(stages);
    let toldAt = 0;
    for (;;) {
      const elapsedMs = this.#clock.now() - this.#begunAt;
      const wanted = usersAt(stages, elapsedMs);
      if (wanted === undefined || signal?.aborted === true) break;
      this.#wanted = wanted;
      for (let id = 1; id <= wanted; id++) if (!this.#running.has(id)) this.#begin(id);
      if (elapsedMs - toldAt >= 1_000) {
        toldAt = elapsedMs;
        const { count, failed } = this.tally.all;
        progress?.({ elapsedMs, durationMs, users: wanted, count, failed, p95Ms: this.tally.all.quantile(0.95) });
      }
      await pause(this.#clock, Math.min(lookMs, durationMs - elapsedMs));
    }
    this.#ending = true;
    this.notBegun = this.#pace?.behind(this.#clock.now()) ?? null;
    this.tookMs = this.#clock.now() - this.#begunAt;
    const all = Promise.all(this.#running.values());
    await Promise.race([all, pause(this.#clock, graceMs)]);
    this.#over.abort();
    await all;
  }

  #begin(id: number): void {
    const running = this.#live(id).finally(() => this.#running.delete(id));
    this.#running.set(id, running);
  }

  /** Goes through the scenario again and again, for as long as there are to be so many users. */
  async #live(id: number): Promise<void> {
    const { url, headers = {}, timeoutMs = 30_000, insecure = false, random = Math.random } = this.#options;
    const dispatcher = new Agent({ connections: 6, connect: { rejectUnauthorized: !insecure, timeout: timeoutMs } });
    const user = new User({
      id,
      base: new URL(url),
      headers,
      timeoutMs,
      dispatcher,
      jar: new CookieJar(undefined, { rejectPublicSuffixes: false }),
      signal: this.#over.signal,
      clock: this.#clock,
      random,
      note: (name, done, latencyMs) => this.tally.add(name, done, latencyMs),
      noteCheck: (name, passed) => this.tally.check(name, passed),
    });
    try {
      while (id <= this.#wanted && !this.#ending) {
        const dueAt = this.#pace?.take();
        if (dueAt !== undefined && !(await this.#until(dueAt))) return;
        user.due(dueAt);
        const failedBefore = this.tally.all.failed;
        try {
          await this.#scenario(user);
        } catch (error) {
          if (error instanceof TestOver) return;
          // What failed was counted where it was measured; else the scenario itself is wrong.
          if (this.tally.all.failed === failedBefore)
            this.tally.check(`the scenario threw: ${(error as Error).message}`, false);
        }
        user.iteration += 1;
        this.iterations += 1;
        // Whoever is refused at once would leave no time for anything else.
        if (this.tally.all.failed > failedBefore && this.#pace === undefined) await pause(this.#clock, 10);
        else if (user.iteration % 16 === 0) await pause(this.#clock, 0);
      }
    } finally {
      await dispatcher.destroy();
    }
  }

  /** False: the time is over before. */
  async #until(at: number): Promise<boolean> {
    for (let waitMs = at - this.#clock.now(); waitMs > 0; waitMs = at - this.#clock.now()) {
      if (this.#ending) return false;
      await pause(this.#clock, Math.min(waitMs, lookMs));
    }
    return !this.#ending;
  }
}
