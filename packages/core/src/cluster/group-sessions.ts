import { Affinity } from "../affinity/affinity.ts";
import { systemWallClock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { GroupPlan } from "./group-plan.ts";

/** Sessions that live in one instance, as far as whoever starts instances has to know of them. */
export class GroupSessions {
  readonly #affinity: Affinity | undefined;
  #begun: boolean;

  constructor({ affinity, hasAffinity }: Pick<GroupPlan, "affinity" | "hasAffinity">, secret: string) {
    this.#begun = hasAffinity;
    // It is asked what sessions are called, and decides on no request.
    const keyFailed = () => {};
    this.#affinity = affinity && new Affinity({ settings: affinity, secret, wallClock: systemWallClock, keyFailed });
  }

  /** An instance has Engine.IO. */
  begin(): void {
    this.#begun = true;
  }

  /** Instances may hold some, so those without new traffic are to be known too. */
  get kept(): boolean {
    return this.#begun && this.#affinity?.keepsSessions === true;
  }

  /** What the ids of an instance's sessions begin with. */
  prefixOf({ slot, incarnation }: Pick<Endpoint, "slot" | "incarnation">): string | undefined {
    return this.#affinity?.sessionPrefix(slot, incarnation);
  }
}
