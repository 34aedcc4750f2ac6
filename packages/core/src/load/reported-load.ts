import type { Outcome } from "../model/outcome.ts";

/** What a worker reports of its requests; see the report's definition in `ipc`. */
export interface ReportedRequests {
  readonly inFlight: number;
  readonly succeeded: number;
  readonly failedByStatus: number;
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
}

const reset: Outcome = { kind: "failure", reason: "reset" };
const failedByStatus: Outcome = { kind: "failure", reason: "status" };
const cancelled: Outcome = { kind: "cancelled" };

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
    const { succeeded, meanLatencyMs, maxLatencyMs } = report;
    const ended = succeeded + report.failedByStatus + report.reset + report.cancelled;
    const begun = report.inFlight + ended - this.open;
    if (begun > 0) {
      this.#others += begun;
      this.#books.begun(begun);
    }
    // A place more than there are requests was taken for a connection that brought none.
    this.#end(cancelled, report.cancelled + Math.max(0, -begun));
    // The peak comes last: so a peak EWMA ends where it would have, had it seen each of them.
    const usual = Math.max(0, succeeded - 1);
    this.#endMixed({ kind: "success", latencyMs: meanLatencyMs }, usual, report);
    if (succeeded > 0) this.#end({ kind: "success", latencyMs: maxLatencyMs }, 1);
  }

  /**
   * In which order they ended is not known. Failures are spread evenly among the successes, since a run of them in a row
   * would look like an endpoint that fails always.
   */
  #endMixed(success: Outcome, successes: number, failures: Pick<ReportedRequests, "failedByStatus" | "reset">): void {
    const failed = failures.failedByStatus + failures.reset;
    let done = 0;
    for (let n = 0; n < failed; n += 1) {
      const due = Math.floor(((n + 1) * successes) / (failed + 1));
      this.#end(success, due - done);
      done = due;
      this.#end(n < failures.failedByStatus ? failedByStatus : reset, 1);
    }
    this.#end(success, successes - done);
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
