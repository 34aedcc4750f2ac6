import { isServerError } from "../model/failure-conditions.ts";
import { cancelled, type Outcome } from "../model/outcome.ts";

/** What a worker reports of its requests; see the report's definition in `ipc`. */
export interface ReportedRequests {
  readonly inFlight: number;
  readonly unanswered: number;
  readonly succeeded: number;
  readonly errors: readonly (readonly [status: number, count: number])[];
  readonly reset: number;
  readonly cancelled: number;
  readonly meanLatencyMs: number;
  readonly maxLatencyMs: number;
}

/** A place that was taken at the endpoint when a connection was sent there, for its first request. */
export interface TakenPlace {
  release(outcome: Outcome): unknown;
}

/** Where requests are booked that no place was taken for: those that follow on a connection. */
export interface RequestBooks {
  begun(count: number): void;
  ended(outcome: Outcome, count: number): void;
  /** Of all that are open, so many have no response yet. */
  unanswered(count: number): void;
}

/** Requests that ended alike. */
interface Kind {
  readonly outcome: Outcome;
  readonly count: number;
}

const reset: Outcome = { kind: "failure", reason: "reset" };

/**
 * Turns the reports of one worker into what an endpoint's books would show if each of its requests had passed through
 * here: begun and ended once, with its outcome, and as many open as the worker has in flight.
 *
 * A connection that is sent there counts as a request from that moment, by the place taken for it: between two reports,
 * a worker that was just given ten connections must not look idle. Which request ends which place does not matter, as
 * all of them stand for the same endpoint.
 */
export class ReportedLoad {
  readonly #books: RequestBooks;
  readonly #places = new Set<TakenPlace>();
  /** Open requests for which no place was taken. */
  #others = 0;

  constructor(books: RequestBooks) {
    this.#books = books;
  }

  /** Requests that are open as far as is known. */
  get open(): number {
    return this.#places.size + this.#others;
  }

  /** The worker has the connection, and with it the request that the place was taken for. */
  adopt(place: TakenPlace): void {
    this.#places.add(place);
  }

  apply(report: ReportedRequests): void {
    const { usual, slowest } = answersIn(report);
    const answered = usual.reduce((sum, { count }) => sum + count, slowest === undefined ? 0 : 1);
    const begun = report.inFlight + answered + report.reset + report.cancelled - this.open;
    if (begun > 0) {
      this.#others += begun;
      this.#books.begun(begun);
    }
    // A place more than there are requests was taken for a connection that brought none.
    this.#end(cancelled, report.cancelled + Math.max(0, -begun));
    this.#endMixed([...usual, { outcome: reset, count: report.reset }]);
    // The peak comes last: so a peak EWMA ends where it would have, had it seen each of them.
    if (slowest !== undefined) this.#end(slowest, 1);
    this.#books.unanswered(report.unanswered);
  }

  /**
   * In which order they ended is not known. Those of each kind are spread evenly among the others, since a run of failures
   * would look like an endpoint that fails always.
   */
  #endMixed(kinds: readonly Kind[]): void {
    const left = kinds.filter(({ count }) => count > 0).map((kind) => ({ ...kind, done: 0 }));
    if (left.length === 1) {
      this.#end(left[0]!.outcome, left[0]!.count);
      return;
    }
    for (;;) {
      let next: (typeof left)[number] | undefined;
      for (const kind of left) {
        if (kind.done === kind.count) continue;
        if (next === undefined || (kind.done + 0.5) * next.count < (next.done + 0.5) * kind.count) next = kind;
      }
      if (next === undefined) return;
      next.done += 1;
      this.#end(next.outcome, 1);
    }
  }

  /** The worker is gone, and what it was doing with it. */
  abandon(): void {
    this.#end(reset, this.open);
  }

  #end(outcome: Outcome, count: number): void {
    if (count === 0) return;
    let left = count;
    for (const place of this.#places) {
      if (left === 0) return;
      this.#places.delete(place);
      place.release(outcome);
      left--;
    }
    if (left === 0) return;
    this.#others -= left;
    this.#books.ended(outcome, left);
  }
}

/** Those answered, by their status; one of them as the slowest, and the time of the others as it is on average without it. */
function answersIn({ succeeded, errors, meanLatencyMs, maxLatencyMs }: ReportedRequests): {
  readonly usual: readonly Kind[];
  readonly slowest: Outcome | undefined;
} {
  const timed = errors.reduce((sum, [status, count]) => (isServerError(status) ? sum : sum + count), succeeded);
  const latencyMs = timed > 1 ? Math.max(0, (meanLatencyMs * timed - maxLatencyMs) / (timed - 1)) : 0;
  let slowest: Outcome | undefined;
  const usual: Kind[] = [];
  const add = (outcome: Outcome, count: number) => {
    if (slowest !== undefined || count === 0) usual.push({ outcome, count });
    else {
      slowest = { ...outcome, latencyMs: maxLatencyMs } as Outcome;
      usual.push({ outcome, count: count - 1 });
    }
  };
  add({ kind: "success", latencyMs }, succeeded);
  for (const [status, count] of errors) {
    if (isServerError(status)) usual.push({ outcome: { kind: "response", status }, count });
    else add({ kind: "response", status, latencyMs }, count);
  }
  return { usual, slowest };
}
