import type { AffinityDecision } from "../affinity/decision.ts";
import type { Lease } from "../balancer/balancer.ts";
import type { Routing } from "../balancer/routing.ts";
import { cancelled, type Outcome } from "../model/outcome.ts";
import { checkOutcome } from "./misuse.ts";
import type { UrlEndpoint } from "./url-endpoints.ts";

const noFields: readonly string[] = Object.freeze([]);

/**
 * A request's place at an endpoint. Counts as load until it is released, so every lease must be; `using lease = …` does it
 * at the end of the block, as cancelled where nobody has said what came of it.
 */
export class UrlLease implements Disposable {
  readonly #lease: Lease;
  readonly #affinity: Routing | undefined;
  readonly #decision: AffinityDecision | undefined;

  constructor(lease: Lease, affinity?: Routing, decision?: AffinityDecision) {
    this.#lease = lease;
    this.#affinity = affinity;
    this.#decision = decision;
  }

  /** For `exclude`, when the request is tried elsewhere. */
  get endpoint(): UrlEndpoint {
    return this.#lease.endpoint as UrlEndpoint;
  }

  /** Where to send the request: an origin, perhaps with the path in which its paths begin, or `"unix:"` and a path, which `endpoint.address` has by itself. */
  get url(): string {
    return this.endpoint.url;
  }

  /**
   * What the response gets besides its own header fields, so that the client is known again: name, value, name, value.
   * `encrypted`: the client's side is TLS, so that the cookie may be Secure.
   */
  responseFields(encrypted: boolean): readonly string[] {
    if (this.#affinity === undefined || this.#decision === undefined) return noFields;
    return this.#affinity.affinity.responseFields(this.#decision, this.endpoint.slot, encrypted);
  }

  /**
   * Tells what is known of the endpoint while the lease goes on, e.g. success for a WebSocket that opened. Only the
   * first call counts.
   *
   * @throws OptionError for what is no outcome
   */
  observe(outcome: Outcome): void {
    checkOutcome(outcome);
    this.#lease.observe(outcome);
  }

  /**
   * Ends the lease; only the first call counts, and returns true.
   *
   * @throws OptionError for what is no outcome; the lease goes on
   */
  release(outcome: Outcome): boolean {
    checkOutcome(outcome);
    return this.#lease.release(outcome);
  }

  /** Ends the lease as cancelled, unless it has ended. */
  [Symbol.dispose](): void {
    this.#lease.release(cancelled);
  }
}
