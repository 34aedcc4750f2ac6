import { latencyBucket } from "./latency-histogram.ts";
import { type Exemplar, type Exemplars, maxRoutes, otherRoutes } from "./traffic-counts.ts";

/** Keeps the last of each bucket of each route: a hundred of each at most, and of as many routes as are told apart. */
export class ExemplarBook {
  readonly #routes = new Map<string, Map<number, Exemplar>>();

  note(route: string, exemplar: Exemplar): void {
    let known = this.#routes.get(route);
    if (known === undefined) {
      if (this.#routes.size >= maxRoutes && route !== otherRoutes) {
        this.note(otherRoutes, exemplar);
        return;
      }
      known = new Map();
      this.#routes.set(route, known);
    }
    known.set(latencyBucket(exemplar.ms), exemplar);
  }

  get all(): Exemplars {
    return Object.fromEntries([...this.#routes].map(([route, buckets]) => [route, [...buckets.values()]]));
  }
}
