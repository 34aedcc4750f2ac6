import { type Clock, type HubChannel, hubChannel, type Timer } from "@lb/core";
import { type EngineSession, type EngineSessions, endGently, every } from "@lb/core/kit";
import { excessSessions } from "./excess.ts";

export interface RebalancingOptions {
  readonly sessions: () => EngineSessions | undefined;
  /** Sessions that may be moved in a second. */
  readonly perSecond: number;
  readonly clock: Clock;
}

const roundMs = 1_000;

interface Heard extends EngineSession {
  on(event: "data", listener: () => void): unknown;
}

/**
 * Moves sessions from instances that have more than the others, as after a scale-up, by ending them in a moment when they
 * are silent: their clients come back, and the balancer sends them where there is room. The instances tell one another
 * once a second how many they have; each decides for itself, and none moves more than what it has too many.
 */
export class Rebalancing {
  readonly #options: RebalancingOptions;
  readonly #channel: HubChannel;
  readonly #counts = new Map<string, number>();
  readonly #talked = new WeakSet<EngineSession>();
  readonly #listenedTo = new WeakSet<EngineSession>();
  readonly #timer: Timer;

  constructor(options: RebalancingOptions) {
    this.#options = options;
    this.#channel = hubChannel("@lb/socket sessions");
    this.#channel.onMessage((payload, from) => {
      if (payload.length === 4) this.#counts.set(from, payload.readUInt32BE(0));
    });
    this.#channel.onLeave((endpointId) => this.#counts.delete(endpointId));
    this.#timer = every(options.clock, roundMs, () => this.#round());
  }

  close(): void {
    this.#timer.cancel();
    this.#channel.close();
  }

  #round(): void {
    const engine = this.#options.sessions();
    const own = engine?.clientsCount ?? 0;
    const told = Buffer.alloc(4);
    told.writeUInt32BE(own);
    try {
      this.#channel.publish(told);
    } catch {
      // The primary is gone, or does not read. There is a next round, or an end.
      return;
    }
    if (engine === undefined) return;
    let left = Math.min(this.#options.perSecond, excessSessions(own, this.#counts.values()));
    for (const session of Object.values(engine.clients) as Heard[]) {
      if (!this.#isIdle(session) || left === 0) continue;
      endGently(session, this.#options.clock);
      left -= 1;
    }
  }

  /** Its client has sent nothing since the last round. One that is new has just come, and stays for a while. */
  #isIdle(session: Heard): boolean {
    if (!this.#listenedTo.has(session)) {
      this.#listenedTo.add(session);
      session.on("data", () => this.#talked.add(session));
      return false;
    }
    return session.readyState === "open" && !this.#talked.delete(session);
  }
}
