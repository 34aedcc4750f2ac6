import { systemClock } from "../../model/clock.ts";
import { systemRandom } from "../../model/random.ts";
import { noteFault } from "../agent-faults.ts";
import { onDrain } from "../drain-notices.ts";
import { drainAtPace, type EngineSessions } from "./paced-drain.ts";

/** As that of `@lb/socket`, whose option it is: sessions that end at one moment come back at one moment. */
const spreadMs = 5_000;

/**
 * The Engine.IO servers of an app that knows nothing of instances: their sessions are ended when the instance drains. Nobody
 * else would do it before the grace is over, and their clients come back by themselves.
 */
export class SessionDrain {
  readonly #engines = new Set<object>();
  readonly #isDrainedElsewhere: (engine: object) => boolean;

  /** `isDrainedElsewhere`: asked when the drain begins. */
  constructor(isDrainedElsewhere: (engine: object) => boolean) {
    this.#isDrainedElsewhere = isDrainedElsewhere;
  }

  readonly note = (engine: object): void => {
    if (this.#engines.size === 0) onDrain(({ graceMs }) => this.#run(graceMs));
    this.#engines.add(engine);
  };

  async #run(graceMs: number): Promise<void> {
    const engines = [...this.#engines].filter((engine) => !this.#isDrainedElsewhere(engine));
    const parts = { clock: systemClock, random: systemRandom };
    const drains = engines.map((engine) =>
      drainAtPace({ sessions: () => sessionsOf(engine), spreadMs, graceMs }, parts),
    );
    // What these are is Engine.IO's affair, in whichever version; whoever is left is cut off at the end of the grace.
    for (const result of await Promise.allSettled(drains)) {
      if (result.status === "rejected") noteFault("ending Engine.IO sessions", result.reason);
    }
  }
}

function sessionsOf(engine: object): EngineSessions | undefined {
  const { clients, clientsCount } = engine as Partial<EngineSessions>;
  return typeof clients === "object" && typeof clientsCount === "number" ? (engine as EngineSessions) : undefined;
}
