import type { Clock, HubChannel } from "@lb/core";
import { AwaitedAnswers } from "./awaited-answers.ts";
import { Kind } from "./broadcast-codec.ts";
import type { SessionRecord } from "./session-record.ts";

export interface SessionOwnersOptions {
  readonly channel: HubChannel;
  /** Clients that stay away longer begin anew. */
  readonly maxDisconnectionMs: number;
  /** Whether the client with this secret is not connected here, or ceases to be within a moment. */
  readonly release: (pid: string) => Promise<boolean>;
  readonly failed: (error: unknown) => void;
  readonly clock: Clock;
}

/** Longer than any instance that runs takes to answer, with the moment it gives the client. */
const answerMs = 2_000;
const maxDeparted = 1_024;

/** Which instance has a session: a client is let in at one place only. */
export class SessionOwners {
  readonly #options: SessionOwnersOptions;
  readonly #answers: AwaitedAnswers;
  /** When other instances left, as far as this one was there. */
  readonly #departed = new Map<string, number>();
  readonly #unsubscribe: () => void;
  #joinedAt: number;

  constructor(options: SessionOwnersOptions) {
    this.#options = options;
    const { channel, failed, clock } = options;
    this.#answers = new AwaitedAnswers(clock);
    this.#joinedAt = clock.now();
    this.#unsubscribe = channel.onLeave((endpointId) => this.#left(endpointId));
    channel.ready().then(() => {
      this.#joinedAt = clock.now();
    }, failed);
  }

  close(): void {
    this.#unsubscribe();
  }

  /** Whether this client may be let in here: where it was, it is not any more, and has not been away for too long. */
  async isReleased({ owner, pid, connected }: SessionRecord): Promise<boolean> {
    const { channel, maxDisconnectionMs, release, clock } = this.#options;
    // What is written at a disconnect is forgotten when its time is over.
    if (!connected) return true;
    if (owner === channel.self) return release(pid);
    if (!channel.members().includes(owner)) {
      return clock.now() - (this.#departed.get(owner) ?? this.#joinedAt) <= maxDisconnectionMs;
    }
    return new Promise((resolve) => {
      this.#answers.await(
        {
          from: [owner],
          timeoutMs: answerMs,
          // No answer at all: it has died meanwhile.
          answered: ([released = true]) => resolve(released === true),
          timedOut: () => resolve(false),
        },
        (id) => this.#say(owner, { id, pid }),
      );
    });
  }

  /** Another instance asks for a session, or answers. */
  told(payload: Buffer, from: string): void {
    const { id, pid, released } = JSON.parse(payload.toString()) as { id: string; pid?: string; released?: boolean };
    if (pid === undefined) this.#answers.answer(id, from, [released]);
    else void this.#options.release(pid).then((given) => this.#say(from, { id, released: given }));
  }

  #left(endpointId: string): void {
    this.#answers.left(endpointId);
    if (this.#departed.size >= maxDeparted) {
      const [oldest] = this.#departed.keys();
      this.#departed.delete(oldest!);
    }
    this.#departed.set(endpointId, this.#options.clock.now());
  }

  #say(to: string, what: object): void {
    try {
      this.#options.channel.send(to, `${String.fromCharCode(Kind.session)}${JSON.stringify(what)}`);
    } catch (error) {
      this.#options.failed(error);
    }
  }
}
