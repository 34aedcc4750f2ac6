import type { Endpoint } from "../model/endpoint.ts";

/**
 * Endpoints that are tried out: they get a fixed share of the new requests, however few or many they are, and the
 * others get the rest. Every 1/share-th request is theirs, so the share is exact and needs no chance.
 */
export class Canary {
  endpoints: ReadonlySet<Endpoint> = new Set();
  #share = 0;
  #due = 0;

  get exists(): boolean {
    return this.endpoints.size > 0;
  }

  set(endpoints: readonly Endpoint[], share: number): void {
    this.endpoints = new Set(endpoints);
    this.#share = share;
    this.#due = 0;
  }

  /** Whether the next request is theirs. */
  next(): boolean {
    this.#due += this.#share;
    if (this.#due < 1) return false;
    this.#due -= 1;
    return true;
  }
}
