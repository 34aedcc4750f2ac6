import type { Pane } from "./panes.ts";

export interface PlacedPane {
  readonly pane: Pane;
  /** Its heading and what is below. */
  readonly rows: number;
}

export interface PaneWish {
  readonly pane: Pane;
  /** Rows that it could fill, its heading included. */
  readonly wanted: number;
}

/** A heading, that of the table, and two rows of it: less is not worth a glance. */
const least = 4;

/**
 * Shares the rows out. Where there are too few for all, the one that has the keys has them alone, and the instances above
 * it if that goes. Else each gets what is the least, the one with the keys then all it wants, then those above those below.
 */
export function layout(wishes: readonly PaneWish[], focus: Pane, rows: number): readonly PlacedPane[] {
  const minimum = ({ wanted }: PaneWish) => Math.min(wanted, least);
  const needed = (some: readonly PaneWish[]) => some.reduce((sum, wish) => sum + minimum(wish), 0);
  const focused = wishes.filter(({ pane }) => pane === focus);
  const beside = wishes.filter(({ pane }) => pane === focus || pane === "instances");
  const shown = [wishes, beside, focused].find((some) => needed(some) <= rows) ?? focused;
  const given = new Map(shown.map((wish) => [wish.pane, Math.min(minimum(wish), rows)]));
  let left = rows - [...given.values()].reduce((sum, some) => sum + some, 0);
  const give = (pane: Pane, most: number) => {
    const more = Math.max(0, Math.min(left, most - given.get(pane)!));
    given.set(pane, given.get(pane)! + more);
    left -= more;
  };
  // Half of the room is enough for any but one with the keys.
  for (const { pane, wanted } of shown) if (pane === "instances") give(pane, Math.min(wanted, Math.floor(rows / 2)));
  for (const { pane, wanted } of shown) if (pane === focus) give(pane, wanted);
  for (const { pane, wanted } of shown) if (pane !== "events" && pane !== "logs") give(pane, wanted);
  for (const { pane, wanted } of shown)
    if (pane === "events") give(pane, Math.min(wanted, least + Math.floor(left / 2)));
  for (const { pane, wanted } of shown.toReversed()) give(pane, wanted);
  const last = shown.at(-1);
  if (last !== undefined) given.set(last.pane, given.get(last.pane)! + left);
  return shown.map(({ pane }) => ({ pane, rows: given.get(pane)! }));
}
