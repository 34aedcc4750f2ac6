import type { Balancer, Lease } from "../../balancer/balancer.ts";
import type { Unavailable } from "../../balancer/status.ts";
import type { Clock, Timer } from "../../model/clock.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import { cancelled, type Outcome } from "../../model/outcome.ts";

/** A request that was with an instance when that died for no reason we know: it may be the reason. */
export interface Suspect {
  /** How long it is to be alone. Default: as long as there is time, a quarter of a second at most. */
  readonly trialMs?: number | undefined;
  /** Where it would go now, as for any request. */
  acquire(): Lease | Unavailable;
  /** Its turn has come. For a moment at most, until the lease is released, nobody else is sent there. */
  onLease(lease: Lease): void;
  /** Nobody took it in time. */
  onRefused(): void;
}

export interface SuspectsOptions {
  readonly balancer: Balancer;
  readonly clock: Clock;
}

interface Place {
  readonly suspect: Suspect;
  readonly since: number;
  readonly timer: Timer;
}

/**
 * - `idle`: nobody waits, or nobody can be served;
 * - `clearing`: an endpoint is set aside, and those finish that were there before;
 * - `trial`: it has one suspect, and no company.
 */
type State = { readonly kind: "idle" } | Clearing | Trial;

interface Trial {
  readonly kind: "trial";
  readonly timer: Timer;
  readonly endpoint: Endpoint;
  /** There was nobody else when it began. */
  readonly alone: boolean;
}

interface Clearing {
  readonly kind: "clearing";
  readonly place: Place;
  readonly lease: Lease;
  readonly since: number;
  /** Since when how many of them have been there. */
  progressAt: number;
  unanswered: number;
}

/** More are not worth the time that one after the other takes. */
const maxWaiting = 32;
/** Those that were there before may take as long as one of them finishes in so much time; who stays has survived so far. */
const clearingStallMs = 500;
const clearingMs = 2_000;
const clearingLookMs = 5;
/** Who has not killed its instance after this long is not alone there any more. */
const trialMs = 250;
/**
 * With many suspects the trials become shorter, so that the last of them need not wait much longer than this. Who has waited for so long does not
 * wait for company to finish any more: where instances keep dying there is always some, and nobody's turn would come.
 */
const allTrialsMs = 2_000;

const idle: State = { kind: "idle" };

/**
 * Tries requests once more whose instance died under them: one after the other, each alone on an instance. Among all that
 * were in flight there, one killed it and the others are innocent. Sent on together, they would die together again and
 * again; alone, the one shows itself by its second victim, and the others have lost a few milliseconds.
 */
export class Suspects {
  readonly #balancer: Balancer;
  readonly #clock: Clock;
  /** A set keeps the order. */
  readonly #waiting = new Set<Place>();
  #state: State = idle;
  #nextAwaited = false;

  constructor({ balancer, clock }: SuspectsOptions) {
    this.#balancer = balancer;
    this.#clock = clock;
    balancer.subscribe(() => {
      if (this.#waiting.size > 0) this.#nextSoon();
    });
  }

  /** There are so many that another one has to take its chance with everybody else. */
  get full(): boolean {
    return this.#waiting.size >= maxWaiting;
  }

  /** A suspect is tried there, and nobody else was there when it came, nor has come since. Of tunnels this says nothing. */
  isAlone(endpoint: Endpoint): boolean {
    return this.#state.kind === "trial" && this.#state.endpoint === endpoint && this.#state.alone;
  }

  /**
   * One of the suspect's calls is made, in a later turn, unless the call that is returned is made before. `since`: when it came for the first
   * time. One whose instance was gone before it had anything comes back untried, and has its place before those who came later: where instances
   * keep dying it would begin to wait again and again.
   */
  add(suspect: Suspect, waitMs: number, since = this.#clock.now()): () => void {
    const place: Place = { suspect, since, timer: this.#clock.after(waitMs, () => this.#refuse(place)) };
    const later = [...this.#waiting].filter((other) => other.since > since);
    for (const other of later) this.#waiting.delete(other);
    for (const one of [place, ...later]) this.#waiting.add(one);
    this.#nextSoon();
    return () => this.#remove(place);
  }

  /** In a turn of its own: fresh requests that waited for the same endpoint are there before it is set aside. */
  #nextSoon(): void {
    if (this.#nextAwaited) return;
    this.#nextAwaited = true;
    setImmediate(() => {
      this.#nextAwaited = false;
      if (this.#state.kind === "idle") this.#next();
    });
  }

  #next(): void {
    for (const place of this.#waiting) {
      const found = place.suspect.acquire();
      if (found.kind === "lease") {
        const now = this.#clock.now();
        const unanswered = Number.POSITIVE_INFINITY;
        this.#state = { kind: "clearing", place, lease: found, since: now, progressAt: now, unanswered };
        this.#balancer.setAside(found.endpoint);
        this.#clear(this.#state);
        return;
      }
      if (found.reason === "closed") this.#refuse(place);
    }
  }

  #clear(clearing: Clearing): void {
    const { place, lease, since } = clearing;
    const unanswered = this.#balancer.unansweredAt(lease.endpoint);
    const now = this.#clock.now();
    if (unanswered === undefined || !this.#waiting.has(place)) {
      // It is gone, by the hand of one that was there before; or the suspect's client is.
      lease.release(cancelled);
      this.#over();
      return;
    }
    if (unanswered < clearing.unanswered) {
      clearing.unanswered = unanswered;
      clearing.progressAt = now;
    }
    const late = now - place.since >= allTrialsMs;
    if (unanswered <= 1 || late || now - clearing.progressAt >= clearingStallMs || now - since >= clearingMs) {
      this.#try(place, lease, unanswered <= 1);
    } else {
      this.#clock.after(clearingLookMs, () => this.#clear(clearing));
    }
  }

  #try(place: Place, lease: Lease, alone: boolean): void {
    const ms = place.suspect.trialMs ?? Math.min(trialMs, allTrialsMs / this.#waiting.size);
    this.#remove(place);
    const timer = this.#clock.after(ms, () => end());
    const state: Trial = { kind: "trial", timer, endpoint: lease.endpoint, alone };
    this.#state = state;
    const end = () => {
      if (this.#state !== state) return;
      state.timer.cancel();
      this.#over();
    };
    place.suspect.onLease(new TrialLease(lease, end));
  }

  #over(): void {
    this.#state = idle;
    setImmediate(() => {
      if (this.#state.kind !== "idle") return;
      this.#balancer.setAside(undefined);
      this.#nextSoon();
    });
  }

  #refuse(place: Place): void {
    if (!this.#waiting.has(place)) return;
    this.#remove(place);
    place.suspect.onRefused();
  }

  #remove(place: Place): void {
    this.#waiting.delete(place);
    place.timer.cancel();
  }
}

/** Says when the suspect has its answer, or its victim. */
class TrialLease implements Lease {
  readonly kind = "lease";
  readonly #lease: Lease;
  readonly #end: () => void;

  constructor(lease: Lease, end: () => void) {
    this.#lease = lease;
    this.#end = end;
  }

  get endpoint(): Endpoint {
    return this.#lease.endpoint;
  }

  answered(): void {
    this.#lease.answered();
  }

  observe(outcome: Outcome): void {
    this.#lease.observe(outcome);
  }

  release(outcome: Outcome): boolean {
    this.#end();
    return this.#lease.release(outcome);
  }
}
