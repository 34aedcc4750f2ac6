import type { ProfileFacts, ProfileOrder, ProfileOutcome } from "../ipc/profile-messages.ts";
import { LbError } from "../model/errors.ts";
import type { WantedProfile } from "./worker-contract.ts";

interface Pending {
  readonly resolve: (facts: ProfileFacts) => void;
  readonly reject: (error: LbError) => void;
}

/** The profiles that a worker was asked for, until it says what became of them. */
export class WorkerProfiles {
  readonly #instance: number;
  readonly #pending = new Map<number, Pending>();
  #asked = 0;

  constructor(instance: number) {
    this.#instance = instance;
  }

  /** @throws LbError `LB_PROFILE_FAILED`, `LB_PROFILE_LOST` */
  ask(wanted: WantedProfile, send: (order: ProfileOrder) => void): Promise<ProfileFacts> {
    return new Promise((resolve, reject) => {
      const id = ++this.#asked;
      this.#pending.set(id, { resolve, reject });
      send({ id, ...wanted });
    });
  }

  settle(outcome: ProfileOutcome): void {
    const pending = this.#pending.get(outcome.id);
    this.#pending.delete(outcome.id);
    if ("error" in outcome) {
      const what = `Instance ${this.#instance} could not take the profile: ${outcome.error}`;
      pending?.reject(new LbError("LB_PROFILE_FAILED", what));
    } else pending?.resolve(outcome);
  }

  /** The worker says nothing any more. */
  lost(): void {
    const error = new LbError("LB_PROFILE_LOST", `Instance ${this.#instance} ended while it took the profile.`);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
