import type { Clock, HubChannel, Timer } from "@lb/core";
import { every } from "@lb/core/kit";
import type { LiveSession } from "./live-session.ts";
import { encodeSession } from "./session-record.ts";

export interface SessionWriterOptions {
  readonly channel: HubChannel;
  /** Clients that stay away longer begin anew. */
  readonly maxDisconnectionMs: number;
  /** Those that are here, by their ids. */
  readonly sessions: ReadonlyMap<string, LiveSession>;
  readonly failed: (error: unknown) => void;
  readonly clock: Clock;
}

/** What is written of a connected client lasts so long unless it is written again, which it is each `refreshMs`. */
export const connectedTtlMs = 300_000;
export const refreshMs = 60_000;
const stepMs = 1_000;

/**
 * Keeps what is known of the sessions here in the primary, at all times: an instance that is killed cannot write any more.
 */
export class SessionWriter {
  readonly #options: SessionWriterOptions;
  readonly #changed = new Set<LiveSession>();
  readonly #refresh: Timer;
  #cursor: Iterator<LiveSession> | undefined;

  constructor(options: SessionWriterOptions) {
    this.#options = options;
    this.#refresh = every(options.clock, stepMs, () => this.#refreshSome());
  }

  close(): void {
    this.#refresh.cancel();
  }

  /** It has changed; changes of one turn are written together. */
  touch(session: LiveSession): void {
    if (session.state.kind !== "connected") return;
    if (this.#changed.size === 0) setImmediate(() => this.#writeChanged());
    this.#changed.add(session);
  }

  touchAll(): void {
    for (const session of this.#options.sessions.values()) this.touch(session);
  }

  forget(session: LiveSession): void {
    this.#changed.delete(session);
  }

  write(session: LiveSession, data: unknown, connected: boolean): void {
    const { channel, maxDisconnectionMs, failed } = this.#options;
    const { sid, pid, rooms, confirmed } = session;
    const record = { sid, pid, rooms: rooms.stays, data, confirmed, owner: channel.self, connected };
    try {
      channel.store.set(pid, encodeSession(record), connected ? connectedTtlMs : maxDisconnectionMs).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #writeChanged(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const session of changed) this.#writeConnected(session);
  }

  #writeConnected(session: LiveSession): void {
    if (session.state.kind === "connected") this.write(session, session.state.socket.data, true);
  }

  /** Each once in `refreshMs`, a few at a time: so that it lasts, and for what the app has changed in `socket.data`. */
  #refreshSome(): void {
    const { sessions } = this.#options;
    let count = Math.ceil((sessions.size * stepMs) / refreshMs);
    for (; count > 0; count -= 1) {
      this.#cursor ??= sessions.values();
      const { value, done } = this.#cursor.next();
      if (done) this.#cursor = undefined;
      else this.#writeConnected(value);
    }
  }
}
