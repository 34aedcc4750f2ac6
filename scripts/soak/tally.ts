/** Requests that have ended, by the class of their status; `none`: there was no status. */
export type Tally = Readonly<Record<Class, number>>;

export const classes = ["1xx", "2xx", "3xx", "4xx", "5xx", "none"] as const;
export type Class = (typeof classes)[number];

/** Counts what has ended. */
export class Counting {
  readonly #counts: Record<Class, number> = { "1xx": 0, "2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0, none: 0 };

  /** 0: there was no status. */
  add(status: number, times = 1): void {
    this.#counts[classOf(status)] += times;
  }

  get tally(): Tally {
    return { ...this.#counts };
  }
}

function classOf(status: number): Class {
  return classes.find((name) => name[0] === String(Math.floor(status / 100))) ?? "none";
}

export function totalOf(tally: Tally): number {
  return classes.reduce((sum, name) => sum + tally[name], 0);
}

/** In which classes the others say something else than the first does. */
export function disagreements(tallies: Readonly<Record<string, Tally>>): readonly string[] {
  const [[first, expected] = ["", undefined], ...others] = Object.entries(tallies);
  if (expected === undefined) return [];
  return others.flatMap(([name, tally]) =>
    classes
      .filter((of) => tally[of] !== expected[of])
      .map((of) => `${of}: ${name} has ${tally[of]}, ${first} ${expected[of]}`),
  );
}
