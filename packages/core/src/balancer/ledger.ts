import type { HealthTracker } from "../health/tracker.ts";
import type { RequestBooks } from "../load/reported-load.ts";
import type { Clock } from "../model/clock.ts";
import { isServerError } from "../model/failure-conditions.ts";
import type { Outcome } from "../model/outcome.ts";
import { HeldLease, type Lease, type LeaseBook } from "./lease.ts";
import type { Member } from "./member.ts";
import type { Rotation } from "./rotation.ts";

export interface LedgerOptions {
  readonly rotation: Rotation;
  readonly health: HealthTracker;
  readonly clock: Clock;
  /** The strategy asks for response times: what is reported without one is measured. */
  readonly measuresLatency: boolean;
  /** A lease has begun or ended. Undefined: nobody wants to know. */
  readonly loadChanged?: ((member: Member) => void) | undefined;
  /** The last lease on a member that is draining has ended. */
  readonly drained: (member: Member) => void;
}

/** Books leases: on the load of members, in the rotation's order by load, and on the endpoints' health. */
export class Ledger implements LeaseBook {
  readonly #rotation: Rotation;
  readonly #health: HealthTracker;
  readonly #clock: Clock;
  #measuresLatency: boolean;
  readonly #loadChanged: ((member: Member) => void) | undefined;
  readonly #drained: (member: Member) => void;

  constructor({ rotation, health, clock, measuresLatency, loadChanged, drained }: LedgerOptions) {
    this.#rotation = rotation;
    this.#health = health;
    this.#clock = clock;
    this.#measuresLatency = measuresLatency;
    this.#loadChanged = loadChanged;
    this.#drained = drained;
  }

  measure(latency: boolean): void {
    this.#measuresLatency = latency;
  }

  begin(member: Member): Lease {
    const trial = this.#health.onTrial !== 0 && this.#health.startTrial(member.health);
    member.begin();
    this.#rotation.loadChanged(member);
    this.#loadChanged?.(member);
    return new HeldLease(this, member, trial, this.#measuresLatency ? this.#clock.now() : 0);
  }

  /** For requests that nobody took a lease for. What is on trial is judged by leases alone. */
  booksOf(member: Member): RequestBooks {
    return {
      begun: (count) => {
        for (let left = count; left > 0; left--) member.begin();
        this.#rotation.loadChanged(member);
      },
      ended: (outcome, count) => {
        for (let left = count; left > 0; left--) {
          this.#health.record(member.health, outcome);
          this.end(member, outcome);
        }
      },
      unanswered: (count) => {
        member.reportedUnanswered = count;
      },
    };
  }

  end(member: Member, outcome: Outcome): void {
    member.end(outcome);
    this.#rotation.loadChanged(member);
    if (member.inFlight === 0 && member.phase === "draining") this.#drained(member);
    this.#loadChanged?.(member);
  }

  judge(member: Member, outcome: Outcome, trial: boolean): void {
    if (trial) this.#health.endTrial(member.health, outcome);
    else this.#health.record(member.health, outcome);
  }

  /** Resolves when those leases have ended that are open now; tunnels are not waited for. */
  settled(member: Member | undefined): Promise<void> {
    const left = member === undefined ? 0 : member.inFlight - member.observed;
    if (member === undefined || left === 0) return Promise.resolve();
    return new Promise((over) => {
      member.awaitingEarlier ??= [];
      member.awaitingEarlier.push({ upTo: member.generation++, left, over });
    });
  }

  isOver(member: Member, generation: number): void {
    for (const earlier of member.awaitingEarlier!) if (generation <= earlier.upTo) earlier.left--;
    const over = member.awaitingEarlier!.filter(({ left }) => left === 0);
    if (over.length === 0) return;
    const others = member.awaitingEarlier!.filter(({ left }) => left > 0);
    member.awaitingEarlier = others.length === 0 ? undefined : others;
    for (const earlier of over) earlier.over();
  }

  timed(outcome: Outcome, takenAt: number): Outcome {
    if (!this.#measuresLatency || outcome.kind === "cancelled" || outcome.latencyMs !== undefined) return outcome;
    // Other failures are quick, and say nothing of how long an answer takes.
    if (outcome.kind === "failure" && outcome.reason !== "timeout") return outcome;
    if (outcome.kind === "response" && isServerError(outcome.status)) return outcome;
    return { ...outcome, latencyMs: this.#clock.now() - takenAt };
  }
}
