import { type HubChannel, type Position, type RetainedMessage, retainedPosition } from "@lb/core";
import type { Session } from "socket.io-adapter";
import { AwaitedAnswers } from "./awaited-answers.ts";
import { type BroadcastReader, Kind, type Recipients } from "./broadcast-codec.ts";
import { onPingAnswered } from "./heartbeats.ts";
import type { AdaptedNamespace, RecoverableSocket } from "./namespace.ts";
import { decodeSession, encodeSession, isFor, type SessionRecord } from "./session-record.ts";
import { SessionRooms } from "./session-rooms.ts";
import { decodeWire } from "./wire-packet.ts";

export interface RecoveryOptions {
  readonly channel: HubChannel;
  readonly namespace: AdaptedNamespace;
  /** Clients that stay away longer begin anew. */
  readonly maxDisconnectionMs: number;
  readonly reader: BroadcastReader;
  /** Sends an event, its offset included, to a client that is connected. */
  readonly deliver: (sid: string, data: unknown[]) => void;
  readonly failed: (error: unknown) => void;
}

type State =
  /** It has rooms, but Socket.IO has not let it in yet. */
  | { readonly kind: "arriving" }
  /** Socket.IO is to make a socket of it, and then to send what is in `missed`. */
  | { readonly kind: "restoring"; readonly missed: unknown[][]; early: Early[] | undefined; readonly data: unknown }
  /** The socket is made; what comes until it is let in is held back. */
  | { readonly kind: "holding"; held: unknown[][] | undefined; readonly data: unknown }
  | Connected
  | { readonly kind: "disconnected" };

interface Connected {
  readonly kind: "connected";
  readonly socket: RecoverableSocket;
  /** What had been sent to it when it last answered a ping. */
  sentBefore: Position;
  readonly unsubscribe: () => void;
}

/** It came while the log was asked for what was missed, and may be in the answer. */
interface Early {
  readonly key: string;
  readonly data: unknown[];
}

interface LiveSession {
  readonly sid: string;
  pid: string;
  readonly rooms: SessionRooms;
  state: State;
  /** It has this and whatever came before; undefined: nobody knows yet. */
  confirmed: Position | undefined;
  /** Those who want to have it elsewhere. */
  readonly awaiting: Set<(released: boolean) => void>;
}

/** A client that shows up elsewhere may be on its way out here: so long it has. */
const releaseGraceMs = 1_000;
const releaseAnswerMs = 2_000;
/** What is written of a connected client lasts so long unless it is written again, which it is each `refreshMs`. */
const connectedTtlMs = 300_000;
export const refreshMs = 60_000;
const refreshStepMs = 1_000;
/** Held back for one client that is not let in; beyond it, it has to come again. */
const maxHeld = 10_000;
const maxDeparted = 1_024;

/** Keeps what clients need to go on at another instance, and lets in those who come from one. */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #sessions = new Map<string, LiveSession>();
  readonly #byPid = new Map<string, LiveSession>();
  readonly #answers = new AwaitedAnswers();
  readonly #changed = new Set<LiveSession>();
  /** When other instances left, as far as this one was there. */
  readonly #departed = new Map<string, number>();
  readonly #refresh: NodeJS.Timeout;
  readonly #subscriptions: readonly (() => void)[];
  readonly #restoring = new Set<LiveSession>();
  #joinedAt = performance.now();
  #cursor: Iterator<LiveSession> | undefined;

  constructor(options: RecoveryOptions) {
    this.#options = options;
    const { channel, namespace } = options;
    // Before the app's own listeners, which may send to it.
    namespace.prependListener("connection", this.#connected);
    this.#subscriptions = [
      channel.onLeave((endpointId) => this.#left(endpointId)),
      // What was written last may not have arrived.
      channel.onGap(() => this.#touchAll()),
    ];
    this.#refresh = setInterval(() => this.#refreshSome(), refreshStepMs);
    this.#refresh.unref();
    channel.ready().then(
      () => {
        this.#joinedAt = performance.now();
      },
      (error) => options.failed(error),
    );
  }

  close(): void {
    clearInterval(this.#refresh);
    for (const cancel of this.#subscriptions) cancel();
    this.#options.namespace.removeListener("connection", this.#connected);
  }

  joined(sid: string, rooms: ReadonlySet<string>): void {
    let session = this.#sessions.get(sid);
    if (session === undefined) {
      session = {
        sid,
        pid: "",
        rooms: new SessionRooms(),
        state: { kind: "arriving" },
        confirmed: undefined,
        awaiting: new Set(),
      };
      this.#sessions.set(sid, session);
    }
    if (session.state.kind === "restoring") session.state = { kind: "holding", held: [], data: session.state.data };
    const here = this.#here();
    for (const room of rooms) session.rooms.join(room, here);
    this.#touch(session);
  }

  left(sid: string, room: string): void {
    const session = this.#sessions.get(sid);
    if (session === undefined) return;
    session.rooms.leave(room, this.#here());
    this.#touch(session);
  }

  /** Its connection broke, and it may come back; `gone` follows. */
  disconnected(sid: string, data: unknown): void {
    const session = this.#sessions.get(sid);
    if (session === undefined) return;
    this.#save(session, data, false);
    if (session.state.kind === "connected") session.state.unsubscribe();
    session.state = { kind: "disconnected" };
  }

  gone(sid: string): void {
    const session = this.#sessions.get(sid);
    if (session === undefined) return;
    const { state } = session;
    switch (state.kind) {
      case "restoring":
      case "holding":
        // It was not let in after all, or is away again: it may try once more.
        this.#save(session, state.data, false);
        break;
      case "connected":
        this.#options.channel.store.take(session.pid).catch(this.#options.failed);
        break;
      case "arriving":
      case "disconnected":
        break;
    }
    this.#forget(session);
  }

  /** A message to be kept went by, or was sent here. */
  passed(message: RetainedMessage, recipients: Recipients, data: () => readonly unknown[]): void {
    for (const session of this.#restoring) {
      const { state } = session;
      if (!isFor(this.#record(session, undefined, true), message, recipients)) continue;
      const withOffset = [...data(), this.#options.channel.position()];
      switch (state.kind) {
        case "restoring":
          if (state.early === undefined) state.missed.push(withOffset);
          else state.early.push({ key: keyOf(message), data: withOffset });
          break;
        case "holding":
          if (state.held !== undefined && state.held.push(withOffset) > maxHeld) state.held = undefined;
          break;
        case "arriving":
        case "connected":
        case "disconnected":
          break;
      }
    }
  }

  /** `null`: begin anew. */
  async restore(pid: string, offset: string): Promise<Session | null> {
    const { channel, namespace, maxDisconnectionMs } = this.#options;
    const position = retainedPosition.parse(offset);
    if (position === undefined || !/^[\w-]{1,64}$/.test(pid)) return null;
    await channel.ready();
    const found = await channel.store.get(pid);
    if (found === undefined || !(await this.#isReleased(decodeSession(found)))) return null;
    const taken = await channel.store.take(pid);
    if (taken === undefined) return null;
    const record = decodeSession(taken);
    if (this.#isElsewhere(record) || namespace.sockets.has(record.sid) || this.#sessions.has(record.sid)) {
      // Somebody was quicker.
      await channel.store.set(pid, taken, record.connected ? connectedTtlMs : maxDisconnectionMs);
      return null;
    }
    return this.#admit(record, position);
  }

  /** Another instance asks for a session, or answers. */
  asked(payload: Buffer, from: string): void {
    const { id, pid, released } = JSON.parse(payload.toString()) as { id: string; pid?: string; released?: boolean };
    if (pid === undefined) this.#answers.answer(id, from, [released]);
    else void this.#release(pid).then((given) => this.#say(from, { id, released: given }));
  }

  async #admit(record: SessionRecord, offset: Position): Promise<Session | null> {
    const { channel, reader, namespace } = this.#options;
    const { sid, pid, data } = record;
    const state: State = { kind: "restoring", missed: [], early: [], data };
    const session: LiveSession = {
      sid,
      pid,
      rooms: new SessionRooms(record.rooms),
      state,
      confirmed: record.confirmed,
      awaiting: new Set(),
    };
    this.#sessions.set(sid, session);
    this.#byPid.set(pid, session);
    this.#restoring.add(session);
    // If this instance dies now, another one finds it ours, and us gone.
    this.#save(session, data, true);
    // Nothing from before it was connected is for it, and it has what it has confirmed: no need to look there.
    let at = furthest(offset, session.rooms.since(sid), record.confirmed);
    const replay = await channel.replay(retainedPosition.format(at)).catch((error: unknown) => {
      this.#forget(session);
      throw error;
    });
    if (!replay.complete) {
      this.#forget(session);
      await channel.store.take(pid);
      return null;
    }
    const seen = new Set<string>();
    for (const message of replay.messages) {
      seen.add(keyOf(message));
      at = retainedPosition.advance(at, message);
      const { recipients, wire } = reader.read(Buffer.from(message.payload as Buffer));
      if (!isFor(record, message, recipients)) continue;
      state.missed.push([...decodeWire(wire(), namespace.server._parser).data, retainedPosition.format(at)]);
    }
    for (const early of state.early ?? []) if (!seen.has(early.key)) state.missed.push(early.data);
    state.early = undefined;
    // Socket.IO makes the socket before anything else happens; if not, it never will.
    setImmediate(() => {
      if (session.state === state) this.gone(sid);
    });
    return { sid, pid, rooms: session.rooms.current(), data, missedPackets: state.missed };
  }

  readonly #connected = (socket: RecoverableSocket) => {
    const session = this.#sessions.get(socket.id);
    if (session === undefined) return;
    const { state } = session;
    session.pid = socket.pid;
    const connected: Connected = {
      kind: "connected",
      socket,
      sentBefore: this.#here(),
      unsubscribe: onPingAnswered(socket.conn, () => {
        // This ping was sent after the answer to the one before, and so after all that had been sent by then.
        session.confirmed = connected.sentBefore;
        connected.sentBefore = this.#here();
      }),
    };
    session.state = connected;
    this.#restoring.delete(session);
    this.#byPid.set(socket.pid, session);
    this.#touch(session);
    if (state.kind !== "holding") return;
    // More has come than is held back: it is to come again, from where it is now.
    if (state.held === undefined) socket.conn.close();
    else for (const data of state.held) this.#options.deliver(socket.id, data);
  };

  /** Whether this client may be let in here: where it was, it is not any more. */
  async #isReleased(record: SessionRecord): Promise<boolean> {
    const { channel, maxDisconnectionMs } = this.#options;
    const { owner, pid, connected } = record;
    if (!connected) return true;
    if (owner === channel.self) return this.#release(pid);
    if (!channel.members().includes(owner)) {
      return performance.now() - (this.#departed.get(owner) ?? this.#joinedAt) <= maxDisconnectionMs;
    }
    return new Promise((resolve) => {
      this.#answers.await(
        {
          from: [owner],
          timeoutMs: releaseAnswerMs,
          // No answer at all: it has died meanwhile.
          answered: ([released = true]) => resolve(released === true),
          timedOut: () => resolve(false),
        },
        (id) => this.#say(owner, { id, pid }),
      );
    });
  }

  /** Whether the client is not connected here, or ceases to be within the grace. */
  #release(pid: string): Promise<boolean> {
    const session = this.#byPid.get(pid);
    if (session === undefined) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (released: boolean) => {
        clearTimeout(timer);
        session.awaiting.delete(settle);
        resolve(released);
      };
      const timer = setTimeout(() => settle(false), releaseGraceMs);
      session.awaiting.add(settle);
    });
  }

  #isElsewhere({ connected, owner }: SessionRecord): boolean {
    return connected && this.#options.channel.members().includes(owner);
  }

  #left(endpointId: string): void {
    this.#answers.left(endpointId);
    if (this.#departed.size >= maxDeparted) {
      const [oldest] = this.#departed.keys();
      this.#departed.delete(oldest!);
    }
    this.#departed.set(endpointId, performance.now());
  }

  #forget(session: LiveSession): void {
    if (session.state.kind === "connected") session.state.unsubscribe();
    this.#sessions.delete(session.sid);
    if (this.#byPid.get(session.pid) === session) this.#byPid.delete(session.pid);
    this.#restoring.delete(session);
    this.#changed.delete(session);
    for (const settle of session.awaiting) settle(true);
  }

  /** Changes of one turn are written together. */
  #touch(session: LiveSession): void {
    if (session.state.kind !== "connected") return;
    if (this.#changed.size === 0) setImmediate(() => this.#saveChanged());
    this.#changed.add(session);
  }

  #touchAll(): void {
    for (const session of this.#sessions.values()) this.#touch(session);
  }

  #saveChanged(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const session of changed) this.#saveConnected(session);
  }

  #saveConnected(session: LiveSession): void {
    if (session.state.kind === "connected") this.#save(session, session.state.socket.data, true);
  }

  /** Each once in `refreshMs`, a few at a time: so that it lasts, and for what the app has changed in `socket.data`. */
  #refreshSome(): void {
    let count = Math.ceil((this.#sessions.size * refreshStepMs) / refreshMs);
    for (; count > 0; count -= 1) {
      this.#cursor ??= this.#sessions.values();
      const { value, done } = this.#cursor.next();
      if (done) this.#cursor = undefined;
      else this.#saveConnected(value);
    }
  }

  #save(session: LiveSession, data: unknown, connected: boolean): void {
    const { channel, maxDisconnectionMs, failed } = this.#options;
    try {
      const bytes = encodeSession(this.#record(session, data, connected));
      channel.store.set(session.pid, bytes, connected ? connectedTtlMs : maxDisconnectionMs).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #record({ sid, pid, rooms, confirmed }: LiveSession, data: unknown, connected: boolean): SessionRecord {
    return { sid, pid, rooms: rooms.stays, data, confirmed, owner: this.#options.channel.self, connected };
  }

  #here(): Position {
    return retainedPosition.parse(this.#options.channel.position())!;
  }

  #say(to: string, what: object): void {
    try {
      this.#options.channel.send(to, `${String.fromCharCode(Kind.session)}${JSON.stringify(what)}`);
    } catch (error) {
      this.#options.failed(error);
    }
  }
}

function furthest(first: Position, ...others: readonly (Position | undefined)[]): Position {
  let best = first;
  for (const other of others) if (other !== undefined && other.sequence > best.sequence) best = other;
  return best;
}

function keyOf({ count, from }: RetainedMessage): string {
  return `${count}@${from}`;
}
