import type { Endpoint } from "../model/endpoint.ts";
import { isFailure } from "../model/failure-conditions.ts";
import type { Outcome } from "../model/outcome.ts";
import type { Member } from "./member.ts";

/** A request's place at an endpoint. Counts as load until it is released, so every lease must be. */
export interface Lease {
  readonly kind: "lease";
  readonly endpoint: Endpoint;
  /** The response has begun. Told once at most, before `release`; what it says of the endpoint is told by the others. */
  answered(): void;
  /**
   * Tells what is known of the endpoint while the lease goes on: a WebSocket that opened, the head of a long response.
   * Without it, an endpoint on trial waits for the end of the tunnel. Only the first call counts.
   */
  observe(outcome: Outcome): void;
  /**
   * Ends the lease. Only the first call counts, and returns true. What `observe` has told is not counted twice; a failure
   * after it is one.
   */
  release(outcome: Outcome): boolean;
}

/** Where leases are booked. */
export interface LeaseBook {
  end(member: Member, outcome: Outcome): void;
  judge(member: Member, outcome: Outcome, trial: boolean): void;
  /** A lease of this generation has ended or is a tunnel from now on, and somebody waits for such. */
  isOver(member: Member, generation: number): void;
  /** The outcome with its response time, if that is wanted and the caller did not measure it. */
  timed(outcome: Outcome, takenAt: number): Outcome;
}

/** The one object made per `acquire`. */
export class HeldLease implements Lease {
  readonly #book: LeaseBook;
  readonly #member: Member;
  /** When it was taken; 0 where the strategy does not ask for response times, which saves reading the clock. */
  readonly #takenAt: number;
  readonly #trial: boolean;
  readonly #generation: number;
  #held = true;
  #answered = false;
  #observed: Outcome | undefined;

  constructor(book: LeaseBook, member: Member, trial: boolean, takenAt: number) {
    this.#book = book;
    this.#member = member;
    this.#trial = trial;
    this.#takenAt = takenAt;
    this.#generation = member.generation;
  }

  get kind(): "lease" {
    return "lease";
  }

  get endpoint(): Endpoint {
    return this.#member.endpoint;
  }

  answered(): void {
    if (!this.#held || this.#answered) return;
    this.#answered = true;
    this.#member.answered += 1;
  }

  observe(outcome: Outcome): void {
    if (!this.#held || this.#observed !== undefined) return;
    this.answered();
    this.#observed = this.#book.timed(outcome, this.#takenAt);
    this.#member.observed += 1;
    if (this.#member.awaitingEarlier !== undefined) this.#book.isOver(this.#member, this.#generation);
    this.#book.judge(this.#member, outcome, this.#trial);
  }

  release(outcome: Outcome): boolean {
    if (!this.#held) return false;
    this.#held = false;
    if (this.#answered) this.#member.answered -= 1;
    const observed = this.#observed;
    if (observed !== undefined) this.#member.observed -= 1;
    if (observed === undefined) {
      this.#book.end(this.#member, this.#book.timed(outcome, this.#takenAt));
      this.#book.judge(this.#member, outcome, this.#trial);
    } else if (isFailure(observed) || outcome.kind !== "failure") {
      this.#book.end(this.#member, observed);
    } else {
      this.#book.end(this.#member, outcome);
      this.#book.judge(this.#member, outcome, false);
    }
    if (observed === undefined && this.#member.awaitingEarlier !== undefined) {
      this.#book.isOver(this.#member, this.#generation);
    }
    return true;
  }
}
