import type { Endpoint } from "../model/endpoint.ts";
import type { ReachedEndpoint } from "./plane-messages.ts";

/**
 * The endpoints that a plane has been told of, until their processes have ended. Messages name them by id, while the
 * balancer and the front know each by the one object that came first.
 */
export class PlaneEndpoints {
  readonly #known = new Map<string, ReachedEndpoint>();
  readonly #doomed = new Set<string>();

  /** Keeps those that are new, in place of others of the same id: one of another weight is another endpoint at the same place. */
  of(named: readonly ReachedEndpoint[]): readonly Endpoint[] {
    return named.map((one) => {
      const { id } = one.endpoint;
      const known = this.#known.get(id);
      // How it is reached may have changed: certificates are renewed.
      const endpoint = known?.endpoint.incarnation === one.endpoint.incarnation ? known.endpoint : one.endpoint;
      this.#known.set(id, { ...one, endpoint });
      return endpoint;
    });
  }

  get(id: string): Endpoint | undefined {
    return this.#known.get(id)?.endpoint;
  }

  /** How one of them is reached. */
  reached({ id }: Endpoint): ReachedEndpoint {
    return this.#known.get(id)!;
  }

  doom(id: string): void {
    if (this.#known.has(id)) this.#doomed.add(id);
  }

  /** One that is not known has ended long ago. */
  isDoomed(id: string): boolean {
    return !this.#known.has(id) || this.#doomed.has(id);
  }

  forget(id: string): void {
    this.#known.delete(id);
    this.#doomed.delete(id);
  }
}
