import type { Fates } from "./fates.ts";
import type { Line } from "./journal.ts";

/** A session that does not go on from the one before. */
export interface Renewal {
  /** The one before, and attempts since then, the last of which succeeded. */
  readonly attempts: readonly string[];
  readonly at: number;
}

/**
 * An instance has 2 s to let go of a session, and takes up to 0.4 of them by itself, for what its client had under way
 * (`answerMs`, `crossingMs`): one that lay idle for the rest is not waited for any longer.
 */
const releaseMs = 1_500;

/** What one Socket.IO client said, what was acknowledged, and what it heard of it through its room. */
export class SaidMessages {
  readonly #user: string;
  #said = 0;
  readonly #acknowledged = new Set<number>();
  readonly #heard = new Map<number, number>();
  /** What was said in a session that was not recovered later. */
  readonly #lostUpTo: number[] = [];
  readonly #renewals: Renewal[] = [];
  #isOpen = false;

  constructor(user: string) {
    this.#user = user;
  }

  say(): number {
    this.#said += 1;
    return this.#said;
  }

  acknowledged(message: number): void {
    this.#acknowledged.add(message);
  }

  /** False: not for the first time. */
  heard(message: number): boolean {
    const times = (this.#heard.get(message) ?? 0) + 1;
    this.#heard.set(message, times);
    return times === 1;
  }

  /** A new session: what the one before has not heard it never will. */
  began(): void {
    this.#lostUpTo.push(this.#said);
    this.#isOpen = true;
  }

  recovered(): void {
    this.#isOpen = true;
  }

  closed(): void {
    this.#isOpen = false;
  }

  /** What it had heard before made it fit to be recovered. */
  renewed(renewal: Renewal): void {
    this.#renewals.push(renewal);
  }

  get count(): number {
    return this.#said;
  }

  get heardAnything(): boolean {
    return this.#heard.size > 0;
  }

  violations(journal: readonly Line[], { deaths, idle }: Pick<Fates, "deaths" | "idle">): string[] {
    const took = new Map<number, number[]>();
    for (const line of journal) {
      if (line.kind !== "took") continue;
      const [user, message] = line.id.split("/");
      if (user === this.#user) took.set(Number(message), [...(took.get(Number(message)) ?? []), line.pid]);
    }
    const lostUpTo = this.#isOpen ? (this.#lostUpTo.at(-1) ?? 0) : Number.POSITIVE_INFINITY;
    const found: string[] = [];
    for (const { attempts, at } of this.#renewals) {
      const holders = new Set(
        journal.flatMap((line) => (line.kind === "began" && attempts.includes(line.id) ? line.pid : [])),
      );
      const silent = idle.some(
        (one) => holders.has(one.pid) && one.at < at && one.until > at - 5_000 && one.until - one.at >= releaseMs,
      );
      if (!silent) found.push(`the session of ${this.#user} was not recovered with ${attempts.at(-1)}`);
    }
    for (let message = 1; message <= this.#said; message += 1) {
      const what = `message ${message} of ${this.#user}`;
      const pids = took.get(message) ?? [];
      if (pids.length > 1) found.push(`${what} arrived ${pids.length} times`);
      if (this.#acknowledged.has(message) && pids.length === 0)
        found.push(`${what} was acknowledged, and nobody took it`);
      const heard = this.#heard.get(message) ?? 0;
      if (heard > 1) found.push(`${what} was heard ${heard} times`);
      const [by] = pids;
      if (heard === 0 && by !== undefined && !deaths.has(by) && message > lostUpTo) {
        found.push(`${what}, which ${by} took and passed on, was never heard`);
      }
    }
    return found;
  }
}
