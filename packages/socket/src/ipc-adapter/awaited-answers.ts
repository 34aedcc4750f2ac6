import type { Clock, Timer } from "@lb/core";

interface Awaited {
  readonly missing: Set<string>;
  readonly answers: unknown[];
  readonly settle: (answers: readonly unknown[]) => void;
  readonly timer: Timer;
}

export interface AnswersWanted {
  /** Who is asked. */
  readonly from: readonly string[];
  readonly timeoutMs: number;
  readonly answered: (answers: readonly unknown[]) => void;
  /** `missing`: who said nothing in time. */
  readonly timedOut: (answers: readonly unknown[], missing: number) => void;
}

/** Questions to all other instances. Whoever is gone is not waited for. */
export class AwaitedAnswers {
  readonly #awaited = new Map<string, Awaited>();
  readonly #clock: Clock;
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `ask` sends the question under its id. */
  await({ from, timeoutMs, answered, timedOut }: AnswersWanted, ask: (id: string) => void): void {
    if (from.length === 0) {
      answered([]);
      return;
    }
    this.#lastId += 1;
    const id = String(this.#lastId);
    const missing = new Set(from);
    const answers: unknown[] = [];
    // The answer may be there and not read yet, where it was this process that paused: timers come before what has arrived.
    const timer = this.#clock.after(timeoutMs, () => {
      setImmediate(() => {
        if (this.#awaited.delete(id)) timedOut(answers, missing.size);
      });
    });
    this.#awaited.set(id, { missing, answers, settle: answered, timer });
    ask(id);
  }

  /** An answer nobody asked for, or a second one, is ignored. */
  answer(id: string, from: string, values: readonly unknown[]): void {
    const awaited = this.#awaited.get(id);
    if (awaited === undefined || !awaited.missing.has(from)) return;
    awaited.answers.push(...values);
    this.#cross(id, awaited, from);
  }

  left(endpointId: string): void {
    for (const [id, awaited] of this.#awaited) this.#cross(id, awaited, endpointId);
  }

  #cross(id: string, awaited: Awaited, endpointId: string): void {
    awaited.missing.delete(endpointId);
    if (awaited.missing.size > 0) return;
    awaited.timer.cancel();
    this.#awaited.delete(id);
    awaited.settle(awaited.answers);
  }
}
