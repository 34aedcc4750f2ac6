import type { Lease } from "../../balancer/balancer.ts";
import type { WaitRefusal } from "../../balancer/wait-queue.ts";
import type { RequestHead } from "../../http/request-head.ts";
import type { Clock } from "../../model/clock.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import { cancelled } from "../../model/outcome.ts";
import type { RetryCause } from "../../model/retry-policy.ts";
import { Placement } from "../placement.ts";
import type { UpstreamFailure } from "../transport/upstream.ts";
import type { Attempt } from "./attempt.ts";
import { type Fingerprint, fingerprint, headPrint } from "./fingerprint.ts";
import type { InFlightRefusal } from "./in-flight-limit.ts";
import type { Attempts, FailedAttempt } from "./retry.ts";
import type { UnderWay } from "./under-way.ts";
import type { Way } from "./way.ts";

/** `all-tried`: all there are have failed it; `quarantined`: those like it end processes. */
export type Unplaced = WaitRefusal | InFlightRefusal | "all-tried" | "quarantined";

/** Whose requests are placed. */
export interface PlacingOwner {
  /** There is nobody for it now. One of the other calls follows, unless it leaves. `readsOn`: its body is needed for that. */
  queued(readsOn: boolean): void;
  /** It is `now`: reading the clock is the dearest of what a request needs. */
  placed(lease: Lease, fresh: boolean, now: number): void;
  /** Nobody takes it. `againInMs`: when somebody may. */
  unplaced(reason: Unplaced, againInMs?: number): void;
}

/**
 * Finds endpoints for one request after the other: at once, or when its turn comes among those of its way, among those
 * that wait for an endpoint, or among the suspects.
 */
export class Placing {
  readonly #owner: PlacingOwner;
  readonly #attempts: Attempts;
  readonly #clock: Clock;
  readonly #placement: Placement;
  #way: Way;
  #request: RequestHead | undefined;
  #counted: UnderWay | undefined;
  #leaveQueue: (() => void) | undefined;
  /** Set while there may be something against it. */
  #print: Fingerprint | undefined;
  /** Its fingerprint cannot be taken yet. */
  #awaitsBody = false;
  /** Waits no longer for what becomes of another one like it. */
  #leaveLike: (() => void) | undefined;

  constructor(owner: PlacingOwner, attempts: Attempts, { way, clock }: { readonly way: Way; readonly clock: Clock }) {
    this.#owner = owner;
    this.#attempts = attempts;
    this.#clock = clock;
    this.#way = way;
    this.#placement = new Placement(way);
  }

  /** The first endpoint of a new request. */
  begin(request: RequestHead, way: Way, now: number): void {
    this.#request = request;
    this.#way = way;
    this.#placement.goBy(way);
    const { quarantine } = way.pool;
    if (quarantine === undefined || quarantine.isEmpty || !this.#isKnown(request)) this.#enter(now);
    else if (request.framing.kind === "none") this.#judge(now);
    else {
      this.#awaitsBody = true;
      this.#owner.queued(true);
    }
  }

  /** More of its body was kept while it is queued; `complete`: all of it. True: there has to be more yet. */
  bodyCame(complete: boolean): boolean {
    if (!this.#awaitsBody) return false;
    if (!complete && !this.#attempts.replay.begun) return true;
    this.#awaitsBody = false;
    this.#judge(this.#clock.now());
    return false;
  }

  /** One whose client waits until it is asked for the body is not known by it. */
  #isKnown(request: RequestHead): boolean {
    return !request.expectsContinue && this.#way.pool.quarantine!.knows(headPrint(request));
  }

  #judge(now: number): void {
    if (!this.#isRefused(fingerprint(this.#request!, this.#attempts.replay.beginning))) this.#enter(now);
  }

  /** True: it is told that it is in quarantine. Otherwise it is tried as what is known against it now demands. */
  #isRefused(print: Fingerprint): boolean {
    const standing = this.#way.pool.quarantine!.standing(print);
    if (standing.kind === "quarantined") {
      this.#owner.unplaced("quarantined", standing.forMs);
      return true;
    }
    if (standing.kind === "suspected") {
      this.#print = print;
      this.#attempts.suspect(standing.trialMs);
    } else this.#attempts.trust();
    return false;
  }

  /** While it waited for others of its way to end, one like it may have ended its instance. The body of one that was not known is not here. */
  get #printNow(): Fingerprint | undefined {
    if (this.#print !== undefined) return this.#print;
    const request = this.#request!;
    const { quarantine } = this.#way.pool;
    const mayBe = quarantine !== undefined && !quarantine.isEmpty && request.framing.kind === "none";
    return mayBe && this.#isKnown(request) ? fingerprint(request, []) : undefined;
  }

  #enter(now: number): void {
    const limit = this.#way.inFlight;
    const counted = limit?.take();
    if (limit === undefined || counted !== undefined) {
      this.#counted = counted;
      this.place(false, now);
      return;
    }
    const enter = (request: UnderWay) => {
      this.#leaveQueue = undefined;
      this.#counted = request;
      const print = this.#printNow;
      if (print === undefined || !this.#isRefused(print)) this.place(false, this.#clock.now());
    };
    this.#queue(() => limit.wait({ enter, refuse: (reason) => this.#unplaced(reason) }));
  }

  /** The stream of this attempt broke; `untouched`: nothing came back by it. */
  broken(attempt: Attempt, failure: UpstreamFailure, untouched: boolean): FailedAttempt {
    const { stream, endpoint } = attempt;
    const died = failure.endpointDown === true && failure.sent && this.#way.pool.diedByItself(endpoint);
    const failed = this.#attempts.broken(failure, { died, untouched: untouched && stream?.reused === true });
    if (died) this.#blamed(attempt, "died", this.#clock.now());
    return failed;
  }

  /** Its endpoint says nothing any more, to nobody. Undefined: the request stays there. */
  fellSilent(attempt: Attempt): FailedAttempt | undefined {
    const now = this.#clock.now();
    this.#blamed(attempt, "silent", now);
    return this.#attempts.mayLeave(now) && !this.#belongsTo(attempt.endpoint) ? this.#attempts.left() : undefined;
  }

  #blamed(attempt: Attempt, how: "died" | "silent", now: number): void {
    const { quarantine, suspects } = this.#way.pool;
    if (quarantine === undefined) return;
    this.#print ??= fingerprint(this.#request!, this.#attempts.replay.beginning);
    const alone = suspects.isAlone(attempt.endpoint);
    if (quarantine.blame(this.#print, { how, alone, tookMs: attempt.tookMs(now) })) this.#attempts.convict();
  }

  /** An endpoint has answered it. */
  answered(status: number): void {
    this.#counted?.answered(status);
    if (this.#print === undefined) return;
    this.#way.pool.quarantine!.acquit(this.#print);
    this.#print = undefined;
  }

  /** As it counts among those in flight. Undefined: it does not. */
  get counted(): UnderWay | undefined {
    return this.#counted;
  }

  /** Any endpoint that has not failed it. `fresh` is handed on. */
  place(fresh: boolean, now: number): void {
    const alone = this.#attempts.suspected && !this.#way.pool.suspects.full;
    const found = alone ? undefined : this.#placement.acquire(this.#request!, this.#attempts.tried);
    if (found?.kind === "lease") this.#owner.placed(found, fresh, now);
    else if (found?.reason === "all-excluded" && !this.#attempts.awaitsReplacement) this.#unplaced("all-tried");
    else this.#wait();
  }

  /**
   * For a request whose endpoint answered that it cannot: a lease on another one, paid for as a retry. Undefined: where
   * nobody else could answer, that answer is better than one of our own.
   */
  elsewhere(endpoint: Endpoint, cause: RetryCause): Lease | undefined {
    const attempts = this.#attempts;
    if (!attempts.mayRetry(cause, true, this.#clock.now())) return undefined;
    const found = this.#placement.acquire(this.#request!, new Set(attempts.tried).add(endpoint));
    if (found.kind !== "lease") return undefined;
    if (this.#way.pool.balancer.withdrawRetry()) return found;
    found.release(cancelled);
    return undefined;
  }

  /** It belongs to this endpoint: a session that lives there has nowhere else to go. */
  #belongsTo(endpoint: Endpoint): boolean {
    return this.#placement.placeOf(this.#request!, this.#attempts.tried) === endpoint;
  }

  /** The header lines that the response from `endpoint` gets, or `""`. */
  responseLines(endpoint: Endpoint, encrypted: boolean): string {
    return this.#placement.responseLines(endpoint, encrypted);
  }

  /** Waits no longer. */
  leave(): void {
    this.#leaveQueue?.();
    this.#leaveQueue = undefined;
    this.#leaveLike?.();
    this.#leaveLike = undefined;
    this.#awaitsBody = false;
  }

  /** It is over: others may have its place. */
  over(): void {
    const counted = this.#counted;
    this.#counted = undefined;
    this.#print = undefined;
    counted?.over();
  }

  #wait(): void {
    const { balancer, suspects } = this.#way.pool;
    const attempts = this.#attempts;
    const exclude = attempts.tried;
    const onLease = (lease: Lease) => {
      this.#out();
      this.#owner.placed(lease, false, this.#clock.now());
    };
    const request = this.#request!;
    this.#queue(() => {
      if (!attempts.suspected || suspects.full) {
        const { by = 0 } = this.#way;
        return balancer.acquireOrWait(request, { exclude, by, onLease, onRefused: (reason) => this.#unplaced(reason) });
      }
      const acquire = () => this.#placement.acquire(request, exclude);
      const suspect = { acquire, onLease, onRefused: () => this.#unplaced("closed"), trialMs: attempts.trialMs };
      this.#leaveLike = this.#print && this.#way.pool.quarantine!.whenSettled(this.#print, () => this.#settled());
      const now = this.#clock.now();
      return suspects.add(suspect, attempts.remainingMs(now), attempts.aloneSince(now));
    });
  }

  /** `join` may be answered before it returns the call that leaves. */
  #queue(join: () => () => void): void {
    this.#owner.queued(false);
    let leave = () => {};
    this.#leaveQueue = () => leave();
    leave = join();
  }

  /** While it waited among the suspects it has become known what those like it are. */
  #settled(): void {
    this.leave();
    if (!this.#isRefused(this.#print!)) this.place(false, this.#clock.now());
  }

  /** It has its turn. */
  #out(): void {
    this.#leaveQueue = undefined;
    this.#leaveLike?.();
    this.#leaveLike = undefined;
  }

  #unplaced(reason: Unplaced): void {
    this.#out();
    this.#owner.unplaced(reason);
  }
}
