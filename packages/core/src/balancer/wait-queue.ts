import type { Clock, Timer } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { RequestView } from "../model/request-view.ts";
import type { WaitQueueSettings } from "../options/queue-options.ts";
import type { Lease } from "./lease.ts";

export type WaitRefusal = "queue-full" | "wait-timeout" | "closed";

/** A request that has no endpoint yet. Exactly one of the calls is made, unless it is cancelled before. */
export interface Waiter {
  readonly exclude?: ReadonlySet<Endpoint> | undefined;
  /** The number of the strategy that chooses. Default 0. */
  readonly by?: number;
  onLease(lease: Lease): void;
  onRefused(reason: WaitRefusal): void;
}

interface Place {
  readonly request: RequestView;
  readonly waiter: Waiter;
  readonly deadline: number;
}

/** Waiting requests in the order in which they came. */
export class WaitQueue {
  #settings: WaitQueueSettings;
  readonly #clock: Clock;
  readonly #refused: (reason: Exclude<WaitRefusal, "closed">) => void;
  /** A set keeps the order, and may change while it is walked: what is taken out is not visited any more. */
  readonly #places = new Set<Place>();
  #timer: Timer | undefined;

  /** `refused`: told of each request that waits no longer, or not at all, and has no endpoint. */
  constructor(
    settings: WaitQueueSettings,
    clock: Clock,
    refused: (reason: Exclude<WaitRefusal, "closed">) => void = () => {},
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#refused = refused;
  }

  /** For those who come from now on. Who waits keeps its deadline, and is refused at the latest when who came before it is. */
  use(settings: WaitQueueSettings): void {
    this.#settings = settings;
  }

  get size(): number {
    return this.#places.size;
  }

  /** Puts a request at the end and returns the call that takes it out again; a full queue refuses it at once. */
  add(request: RequestView, waiter: Waiter): () => void {
    if (this.#places.size >= this.#settings.maxWaiting) {
      this.#refused("queue-full");
      waiter.onRefused("queue-full");
      return () => {};
    }
    const place: Place = { request, waiter, deadline: this.#clock.now() + this.#settings.maxWaitMs };
    this.#places.add(place);
    if (this.#timer === undefined) this.#awaitDeadline(place);
    return () => this.#remove(place);
  }

  /** Offers everyone, first come first, what `acquire` gives; those for whom there is nothing keep their place. */
  serve(
    acquire: (
      request: RequestView,
      exclude: ReadonlySet<Endpoint> | undefined,
      by: number | undefined,
    ) => Lease | undefined,
  ): void {
    for (const place of this.#places) {
      const lease = acquire(place.request, place.waiter.exclude, place.waiter.by);
      if (lease === undefined) continue;
      this.#remove(place);
      place.waiter.onLease(lease);
    }
  }

  refuseAll(reason: WaitRefusal): void {
    for (const place of this.#places) this.#refuse(place, reason);
  }

  #refuse(place: Place, reason: WaitRefusal): void {
    this.#remove(place);
    place.waiter.onRefused(reason);
  }

  #remove(place: Place): void {
    this.#places.delete(place);
    if (this.#places.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** All wait equally long, so the first to come is the first to be refused, and one timer serves them all. */
  #awaitDeadline(first: Place): void {
    this.#timer = this.#clock.after(Math.max(0, first.deadline - this.#clock.now()), () => {
      this.#timer = undefined;
      const now = this.#clock.now();
      for (const place of this.#places) {
        if (place.deadline > now) {
          if (this.#timer === undefined) this.#awaitDeadline(place);
          return;
        }
        this.#refused("wait-timeout");
        this.#refuse(place, "wait-timeout");
      }
    });
  }
}
