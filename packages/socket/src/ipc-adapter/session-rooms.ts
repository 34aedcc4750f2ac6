import type { Position } from "@lb/core";
import type { Stay } from "./session-record.ts";

/** Stays that are over; of more, the oldest are forgotten. */
const maxPast = 32;

/**
 * Which rooms a client is in, and since when; and which it has left, for what it was sent there may not have reached it.
 */
export class SessionRooms {
  readonly #stays: Map<string, Stay[]>;
  readonly #past: { readonly room: string; readonly stay: Stay }[] = [];

  constructor(stays: ReadonlyMap<string, readonly Stay[]> = new Map()) {
    this.#stays = new Map([...stays].map(([room, list]) => [room, [...list]]));
    for (const [room, list] of this.#stays) {
      for (const stay of list) if (stay.until !== undefined) this.#past.push({ room, stay });
    }
  }

  get stays(): ReadonlyMap<string, readonly Stay[]> {
    return this.#stays;
  }

  current(): string[] {
    return [...this.#stays].filter(([, list]) => list.at(-1)?.until === undefined).map(([room]) => room);
  }

  /** Since when it is in the room. */
  since(room: string): Position | undefined {
    const stay = this.#stays.get(room)?.at(-1);
    return stay?.until === undefined ? stay?.since : undefined;
  }

  join(room: string, since: Position): void {
    const list = this.#stays.get(room);
    if (list === undefined) this.#stays.set(room, [{ since, until: undefined }]);
    else if (list.at(-1)?.until !== undefined) list.push({ since, until: undefined });
  }

  leave(room: string, until: Position): void {
    const list = this.#stays.get(room);
    const stay = list?.at(-1);
    if (list === undefined || stay === undefined || stay.until !== undefined) return;
    const over = { since: stay.since, until };
    list[list.length - 1] = over;
    this.#past.push({ room, stay: over });
    if (this.#past.length > maxPast) this.#drop(this.#past.shift()!);
  }

  #drop({ room, stay }: { readonly room: string; readonly stay: Stay }): void {
    const list = this.#stays.get(room)!.filter((one) => one !== stay);
    if (list.length === 0) this.#stays.delete(room);
    else this.#stays.set(room, list);
  }
}
