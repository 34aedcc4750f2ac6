import type { Clock, Timer } from "@lb/core";
import { every } from "@lb/core/kit";
import { redact, secretsOf } from "./redaction.ts";
import type { OwnRedisClient } from "./redis-client.ts";

/** What a connection is for: the adapters publish on one, subscribe on another, and read streams on a third. */
export type RedisRole = "publish" | "subscribe" | "read";

export type RedisConnectionState =
  /** Never was there so far. */
  | { readonly kind: "connecting" }
  | { readonly kind: "ready" }
  /** It was there, and is tried again. */
  | { readonly kind: "lost" }
  | { readonly kind: "closed" };

export interface RedisConnectionStatus {
  readonly role: RedisRole;
  /** As `CLIENT LIST` shows it. */
  readonly name: string;
  readonly state: RedisConnectionState["kind"];
  /** Times it was ready again after it had been lost. */
  readonly reconnects: number;
  /** What went wrong with it last since it became ready, or why it is not, without credentials. */
  readonly error: string | undefined;
}

export interface RedisConnectionOptions {
  readonly role: RedisRole;
  readonly name: string;
  readonly client: OwnRedisClient;
  readonly clock: Clock;
  readonly changed: () => void;
}

/** Time that a good-bye may take: what was sent before it is on its way then. */
const quitMs = 500;
/** How often a connection that hears nothing is asked whether it lives; ioredis cuts it when it does not answer. */
const pingMs = 10_000;

/** One of our own connections to Redis: what it is for and how it is. ioredis connects it again, with back-off, for ever. */
export class RedisConnection {
  readonly role: RedisRole;
  readonly client: OwnRedisClient;
  readonly #name: string;
  readonly #secrets: readonly string[];
  readonly #changed: () => void;
  readonly #clock: Clock;
  readonly #pings: Timer;
  #state: RedisConnectionState = { kind: "connecting" };
  #reconnects = 0;
  #error: string | undefined;

  constructor({ role, name, client, clock, changed }: RedisConnectionOptions) {
    this.role = role;
    this.client = client;
    this.#name = name;
    this.#secrets = secretsOf(client.options);
    this.#changed = changed;
    this.#clock = clock;
    client.on("ready", () => this.#ready());
    client.on("close", () => this.#lost());
    // Errors are told by the status; without a listener ioredis would print them.
    client.on("error", (error: Error) => this.noteError(error));
    this.#pings = every(clock, pingMs, () => this.#ping());
  }

  get state(): RedisConnectionState {
    return this.#state;
  }

  status(): RedisConnectionStatus {
    return {
      role: this.role,
      name: this.#name,
      state: this.#state.kind,
      reconnects: this.#reconnects,
      error: this.#error,
    };
  }

  noteError({ message }: Error): void {
    const shown = redact(message, this.#secrets);
    if (shown === this.#error) return;
    this.#error = shown;
    this.#changed();
  }

  /** Resolves when it is closed; what was sent on it before has arrived then, if Redis answers. Idempotent. */
  async close(): Promise<void> {
    if (this.#state.kind === "closed") return;
    const wasReady = this.#state.kind === "ready";
    this.#state = { kind: "closed" };
    this.#pings.cancel();
    if (wasReady && this.role === "publish") {
      await new Promise<void>((done) => {
        const timer = this.#clock.after(quitMs, done, { keepAlive: true });
        const quit = () => {
          timer.cancel();
          done();
        };
        this.client.quit().then(quit, quit);
      });
    }
    this.client.disconnect();
    this.#changed();
  }

  #ready(): void {
    if (this.#state.kind === "closed") return;
    if (this.#state.kind === "lost") this.#reconnects += 1;
    this.#state = { kind: "ready" };
    this.#error = undefined;
    this.#changed();
  }

  #lost(): void {
    if (this.#state.kind !== "ready") return;
    this.#state = { kind: "lost" };
    this.#error ??= "The connection was closed.";
    this.#changed();
  }

  #ping(): void {
    // Readers hear something every few seconds, or their blocking command tells that the connection is dead.
    if (this.#state.kind !== "ready" || this.role === "read") return;
    this.client.ping().catch(() => {});
  }
}
