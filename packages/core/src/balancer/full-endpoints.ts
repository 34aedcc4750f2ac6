import type { Endpoint } from "../model/endpoint.ts";
import type { Member } from "./member.ts";

/** Who has as many leases open as it may. */
export class FullEndpoints {
  readonly #most: number;
  readonly #full = new Set<Endpoint>();

  constructor(most: number) {
    this.#most = most;
  }

  get endpoints(): ReadonlySet<Endpoint> {
    return this.#full;
  }

  /** Its load has changed. True: it was full, and is not any more. */
  changed({ endpoint, inFlight }: Pick<Member, "endpoint" | "inFlight">): boolean {
    if (inFlight < this.#most) return this.#full.delete(endpoint);
    this.#full.add(endpoint);
    return false;
  }
}
