import { Affinity } from "../affinity/affinity.ts";
import { systemWallClock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import { affinityOf } from "../plane/plane-routing.ts";

/** Sessions that live in one instance, as far as whoever starts instances has to know of them. */
export class ClusterSessions {
  readonly #affinity: Affinity | undefined;
  #begun: boolean;

  constructor(settings: ClusterSettings, secret: string) {
    const goesBy = affinityOf(settings);
    this.#begun = settings.affinity !== undefined;
    // It is asked what sessions are called, and decides on no request.
    const keyFailed = () => {};
    this.#affinity = goesBy && new Affinity({ settings: goesBy, secret, wallClock: systemWallClock, keyFailed });
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
