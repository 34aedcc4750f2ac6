import { Agent } from "node:http";
import { Agent as SecureAgent } from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../../packages/core/src/model/random.ts";
import { seededRandom } from "../../packages/core/test/support/seeded-random.ts";
import type { Ledger } from "./ledger.ts";
import { pieces } from "./pieces.ts";
import type { Place } from "./place.ts";
import { type Asked, ask } from "./request.ts";
import { talk } from "./socket-io-client.ts";
import { converse } from "./web-socket-client.ts";

const small = [Buffer.alloc(1_000, 97)];
const large = Array.from({ length: 8 }, () => Buffer.alloc(32_768, 98));
/**
 * A connection that was idle for longer is not used any more; an agent without this does not heed what the server announces. Node announces 5 s and
 * closes after 6, and a process that paused meanwhile does so before it looks whether a request has come: that is so without us. No pause that is
 * brought about takes 3 s.
 */
const idleMs = 3_000;
const sized = (bytes: number) => (id: string) => `${id} ${bytes}`;

type Ordinary = "get" | "put" | "post" | "upload" | "stream" | "events";

/** `ms`: how long the app works on it. */
const kinds: Record<Ordinary, (ms: number) => Asked> = {
  get: (ms) => ({ kind: "get", path: `/work?ms=${ms}`, expected: sized(0) }),
  put: (ms) => ({ kind: "put", path: `/work?ms=${ms}`, method: "PUT", parts: small, expected: sized(1_000) }),
  post: (ms) => ({ kind: "post", path: `/work?ms=${ms}`, method: "POST", parts: small, expected: sized(1_000) }),
  upload: (ms) => ({
    kind: "upload",
    path: `/work?ms=${ms}`,
    method: "POST",
    parts: large,
    expected: sized(8 * 32_768),
  }),
  stream: () => ({ kind: "stream", path: "/stream", expected: (id) => pieces(id).join("") }),
  events: () => ({
    kind: "events",
    path: "/events",
    expected: (id) => Array.from({ length: 1_000 }, (_, index) => `id: ${index}\ndata: ${id}\n\n`).join(""),
    forMs: 9_000,
  }),
};

/**
 * Ordinary clients of every kind, until the ledger closes, in one process: some 150 requests and 60 messages a second at most. What is looked
 * for is not speed, and a machine that has little time for it must be no excuse.
 */
export class Clients {
  readonly #agent: Agent;
  readonly #running: Promise<unknown>;
  readonly #ledger: Ledger;
  readonly #place: Place;

  constructor(ledger: Ledger, place: Place, seed: number) {
    this.#ledger = ledger;
    this.#place = place;
    this.#agent = new (place.secure ? SecureAgent : Agent)({ keepAlive: true, maxSockets: 8, timeout: idleMs });
    const times = (count: number, begin: (random: Random, index: number) => Promise<void>) =>
      Array.from({ length: count }, (_, index) => begin(seededRandom(seed + index), index));
    const simple = ["get", "put", "post"] as const;
    const any = (random: Random) => {
      const kind = simple[Math.floor(random() * simple.length)]!;
      // Most are quick; the others are there when something happens.
      return kinds[kind](random() < 0.8 ? 3 : Math.floor(random() * 400));
    };
    this.#running = Promise.all([
      ...times(8, (random) => this.#ask(() => ({ ...any(random), agent: this.#agent }), 100)),
      ...times(4, (random) => this.#ask(() => any(random), 120)),
      ...times(2, () => this.#ask(() => kinds.upload(3), 100)),
      ...times(3, () => this.#ask(() => kinds.stream(0), 100)),
      ...times(3, () => this.#ask(() => kinds.events(0), 100)),
      ...times(4, (random) => this.#converse(random)),
      ...times(3, (_, index) => talk({ ledger, place, transport: "polling", user: `polling${index}` })),
      ...times(3, (_, index) => talk({ ledger, place, transport: "websocket", user: `websocket${index}` })),
    ]).then(() => this.#agent.destroy());
  }

  /** Resolves when the last answer has come, once the ledger closes. */
  get ended(): Promise<unknown> {
    return this.#running;
  }

  async #ask(next: () => Asked, thinkMs: number): Promise<void> {
    while (!this.#ledger.closing) {
      await ask(this.#ledger, this.#place, next());
      await pause(thinkMs);
    }
  }

  async #converse(random: Random): Promise<void> {
    while (!this.#ledger.closing) {
      await converse(this.#ledger, this.#place, 2_000 + random() * 20_000);
      await pause(50);
    }
  }
}
