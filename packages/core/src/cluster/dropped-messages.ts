import type { MessagesDroppedEvent } from "../events/cluster-event-map.ts";
import { RefusalNotices } from "../front/refusal-notice.ts";
import type { Clock } from "../model/clock.ts";

interface OfSlot {
  count: number;
  readonly notices: RefusalNotices;
}

/** What instances sent that is no message: counted for each place, and told now and then. */
export class DroppedMessages {
  readonly #clock: Clock;
  readonly #told: (event: MessagesDroppedEvent) => void;
  readonly #bySlot = new Map<number, OfSlot>();

  constructor(clock: Clock, told: (event: MessagesDroppedEvent) => void) {
    this.#clock = clock;
    this.#told = told;
  }

  note(slot: number): void {
    let known = this.#bySlot.get(slot);
    if (known === undefined) {
      const told = (dropped: number) => this.#told({ instance: slot + 1, dropped });
      known = { count: 0, notices: new RefusalNotices(this.#clock, told) };
      this.#bySlot.set(slot, known);
    }
    known.count += 1;
    known.notices.note();
  }

  of(slot: number): number {
    return this.#bySlot.get(slot)?.count ?? 0;
  }
}
