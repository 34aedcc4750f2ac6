import type { TrafficObserver } from "../front/traffic-observer.ts";
import type { Endpoint } from "../model/endpoint.ts";

/** What a plane counts of its traffic, besides what its balancer does. */
export class TrafficCounts implements TrafficObserver {
  readonly #answered = new Map<number, number>();
  readonly #relayed = new Map<number, number>();

  answered(status: number): void {
    this.#answered.set(status, (this.#answered.get(status) ?? 0) + 1);
  }

  requestsRelayed({ slot }: Endpoint, requests: number): void {
    this.#relayed.set(slot, (this.#relayed.get(slot) ?? 0) + requests);
  }

  /** Answers in place of the app, by status; requests that workers passed on, by slot. */
  get all(): { readonly answered: Record<string, number>; readonly relayed: Record<string, number> } {
    return { answered: Object.fromEntries(this.#answered), relayed: Object.fromEntries(this.#relayed) };
  }
}
