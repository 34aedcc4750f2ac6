import type { Balancer } from "../../balancer/balancer.ts";
import type { RequestBooks } from "../../load/reported-load.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import type { Outcome } from "../../model/outcome.ts";

/**
 * The balancer's books of an endpoint that may join, leave and come back while requests go on there: what was begun in
 * one of them is ended in the same one, and what begins while there are none is not booked.
 */
export class EndpointBooks implements RequestBooks {
  readonly #balancer: Balancer;
  readonly #endpoint: Endpoint;
  #books: RequestBooks | undefined;
  #open = 0;

  constructor(balancer: Balancer, endpoint: Endpoint) {
    this.#balancer = balancer;
    this.#endpoint = endpoint;
  }

  begun(count: number): void {
    if (this.#open === 0) this.#books = this.#balancer.booksOf(this.#endpoint);
    if (this.#books === undefined) return;
    this.#open += count;
    this.#books.begun(count);
  }

  ended(outcome: Outcome, count: number): void {
    const booked = Math.min(count, this.#open);
    if (booked === 0) return;
    this.#open -= booked;
    this.#books!.ended(outcome, booked);
  }

  unanswered(count: number): void {
    this.#balancer.booksOf(this.#endpoint)?.unanswered(count);
  }
}
