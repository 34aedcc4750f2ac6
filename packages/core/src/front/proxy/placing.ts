import type { Lease } from "../../balancer/balancer.ts";
import type { Clock } from "../../model/clock.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import { cancelled } from "../../model/outcome.ts";
import type { RequestView } from "../../model/request-view.ts";
import type { RetryCause } from "../../model/retry-policy.ts";
import { Placement } from "../placement.ts";
import type { Attempts } from "./retry.ts";
import type { UnderWay } from "./under-way.ts";
import type { Way } from "./way.ts";

/** Whose requests are placed. */
export interface PlacingOwner {
  /** There is nobody for it now. One of the other calls follows, unless it leaves. */
  queued(): void;
  /** It is `now`: reading the clock is the dearest of what a request needs. */
  placed(lease: Lease, fresh: boolean, now: number): void;
  /** Nobody takes it: 502 if all there are have failed it, else 503. */
  unplaced(status: 502 | 503): void;
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
  #request: RequestView | undefined;
  #counted: UnderWay | undefined;
  #leaveQueue: (() => void) | undefined;

  constructor(owner: PlacingOwner, attempts: Attempts, { way, clock }: { readonly way: Way; readonly clock: Clock }) {
    this.#owner = owner;
    this.#attempts = attempts;
    this.#clock = clock;
    this.#way = way;
    this.#placement = new Placement(way);
  }

  /** The first endpoint of a new request. */
  begin(request: RequestView, way: Way, now: number): void {
    this.#request = request;
    this.#way = way;
    this.#placement.goBy(way);
    const limit = way.inFlight;
    const counted = limit?.take();
    if (limit === undefined || counted !== undefined) {
      this.#counted = counted;
      this.place(false, now);
      return;
    }
    const enter = (request: UnderWay) => {
      this.#leaveQueue = undefined;
      this.#counted = request;
      this.place(false, this.#clock.now());
    };
    this.#queue(() => limit.wait({ enter, refuse: () => this.#unplaced(503) }));
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
    else if (found?.reason === "all-excluded" && !this.#attempts.awaitsReplacement) this.#unplaced(502);
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
  belongsTo(endpoint: Endpoint): boolean {
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
  }

  /** It is over: others may have its place. */
  over(): void {
    const counted = this.#counted;
    this.#counted = undefined;
    counted?.over();
  }

  #wait(): void {
    const { balancer, suspects } = this.#way.pool;
    const attempts = this.#attempts;
    const exclude = attempts.tried;
    const onLease = (lease: Lease) => {
      this.#leaveQueue = undefined;
      this.#owner.placed(lease, false, this.#clock.now());
    };
    const request = this.#request!;
    this.#queue(() => {
      if (!attempts.suspected || suspects.full) {
        const { by = 0 } = this.#way;
        return balancer.acquireOrWait(request, { exclude, by, onLease, onRefused: () => this.#unplaced(503) });
      }
      const acquire = () => this.#placement.acquire(request, exclude);
      const suspect = { acquire, onLease, onRefused: () => this.#unplaced(503) };
      const now = this.#clock.now();
      return suspects.add(suspect, attempts.remainingMs(now), attempts.aloneSince(now));
    });
  }

  /** `join` may be answered before it returns the call that leaves. */
  #queue(join: () => () => void): void {
    this.#owner.queued();
    let leave = () => {};
    this.#leaveQueue = () => leave();
    leave = join();
  }

  #unplaced(status: 502 | 503): void {
    this.#leaveQueue = undefined;
    this.#owner.unplaced(status);
  }
}
