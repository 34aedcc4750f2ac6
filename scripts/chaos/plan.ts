import { seededRandom } from "../../packages/core/test/support/seeded-random.ts";

export interface Planned<Name extends string> {
  /** From the beginning of the run. */
  readonly atMs: number;
  readonly name: Name;
  /** Of everything else that is drawn for it. */
  readonly seed: number;
}

/** What is done when, which follows from the seed alone. Rounds of all names, each in an order of its own, so that none is left out of a short run. */
export function plan<Name extends string>(names: readonly Name[], seconds: number, seed: number): Planned<Name>[] {
  const random = seededRandom(seed);
  const planned: Planned<Name>[] = [];
  let round: Name[] = [];
  for (let atMs = 0; atMs < seconds * 1_000; atMs += 200 + random() * 800) {
    if (round.length === 0) round = [...names];
    const [name] = round.splice(Math.floor(random() * round.length), 1);
    planned.push({ atMs, name: name!, seed: Math.floor(random() * 2 ** 32) });
  }
  return planned;
}
