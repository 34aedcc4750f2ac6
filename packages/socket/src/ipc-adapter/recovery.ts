import { type Clock, type HubChannel, type Position, type RetainedMessage, retainedPosition } from "@lb/core";
import type { Session } from "socket.io-adapter";
import type { BroadcastReader, Recipients } from "./broadcast-codec.ts";
import { onPingAnswered } from "./heartbeats.ts";
import type { Connected, LiveSession, SessionState } from "./live-session.ts";
import type { AdaptedNamespace, RecoverableSocket } from "./namespace.ts";
import { SessionOwners } from "./session-owners.ts";
import { decodeSession, encodeSession, isFor, type SessionRecord } from "./session-record.ts";
import { SessionRooms } from "./session-rooms.ts";
import { connectedTtlMs, SessionWriter } from "./session-writer.ts";
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
  readonly clock: Clock;
}

/** A client that shows up elsewhere may be on its way out here: so long it has. */
const releaseGraceMs = 1_000;
/**
 * How often a client's record may change under the hands of whoever lets it in: as it disconnects elsewhere, or as an attempt of its own was
 * quicker that it has given up meanwhile.
 */
const maxChanges = 3;
/** Held back for one client that is not let in; beyond it, it has to come again. */
const maxHeld = 10_000;

/** Keeps what clients need to go on at another instance, and lets in those who come from one. */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #sessions = new Map<string, LiveSession>();
  readonly #byPid = new Map<string, LiveSession>();
  readonly owners: SessionOwners;
  readonly #unsubscribe: () => void;
  readonly #restoring = new Set<LiveSession>();
  readonly #writer: SessionWriter;

  constructor(options: RecoveryOptions) {
    this.#options = options;
    const { channel, namespace } = options;
    // Before the app's own listeners, which may send to it.
    namespace.prependListener("connection", this.#connected);
    // What was written last may not have arrived.
    this.#unsubscribe = channel.onGap(() => this.#writer.touchAll());
    const { maxDisconnectionMs, failed, clock } = options;
    this.#writer = new SessionWriter({ channel, maxDisconnectionMs, failed, clock, sessions: this.#sessions });
    const release = (pid: string) => this.#release(pid);
    this.owners = new SessionOwners({ channel, maxDisconnectionMs, failed, clock, release });
  }

  close(): void {
    this.#writer.close();
    this.#unsubscribe();
    this.owners.close();
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
    this.#writer.touch(session);
  }

  left(sid: string, room: string): void {
    const session = this.#sessions.get(sid);
    if (session === undefined) return;
    session.rooms.leave(room, this.#here());
    this.#writer.touch(session);
  }

  /** Its connection broke, and it may come back; `gone` follows. */
  disconnected(sid: string, data: unknown): void {
    const session = this.#sessions.get(sid);
    if (session === undefined) return;
    this.#writer.write(session, data, false);
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
        this.#writer.write(session, state.data, false);
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
      if (!isFor({ sid: session.sid, rooms: session.rooms.stays }, message, recipients)) continue;
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
    const { channel, namespace } = this.#options;
    const position = retainedPosition.parse(offset);
    if (position === undefined || !/^[\w-]{1,64}$/.test(pid)) return null;
    await channel.ready();
    for (let change = 0; change <= maxChanges; change += 1) {
      const found = await channel.store.get(pid);
      if (found === undefined) return null;
      const record = decodeSession(found);
      if (!(await this.owners.isReleased(record))) return null;
      if (namespace.sockets.has(record.sid) || this.#sessions.has(record.sid)) return null;
      // In one step: if this instance dies at any time, another one finds it where it was, or ours and us gone.
      const ours = encodeSession({ ...record, owner: channel.self, connected: true });
      if (await channel.store.replace(pid, found, ours, connectedTtlMs)) return this.#admit(record, position);
    }
    return null;
  }

  async #admit(record: SessionRecord, offset: Position): Promise<Session | null> {
    const { channel, reader, namespace } = this.#options;
    const { sid, pid, data } = record;
    const state: SessionState = { kind: "restoring", missed: [], early: [], data };
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
    this.#writer.touch(session);
    if (state.kind !== "holding") return;
    // More has come than is held back: it is to come again, from where it is now.
    if (state.held === undefined) socket.conn.close();
    else for (const data of state.held) this.#options.deliver(socket.id, data);
  };

  /** Whether the client is not connected here, or ceases to be within the grace. */
  #release(pid: string): Promise<boolean> {
    const session = this.#byPid.get(pid);
    if (session === undefined) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (released: boolean) => {
        timer.cancel();
        session.awaiting.delete(settle);
        resolve(released);
      };
      // That the client went may be there and not read yet, where it was this process that paused.
      const timer = this.#options.clock.after(releaseGraceMs, () => setImmediate(settle, false));
      session.awaiting.add(settle);
    });
  }

  #forget(session: LiveSession): void {
    if (session.state.kind === "connected") session.state.unsubscribe();
    this.#sessions.delete(session.sid);
    if (this.#byPid.get(session.pid) === session) this.#byPid.delete(session.pid);
    this.#restoring.delete(session);
    this.#writer.forget(session);
    for (const settle of session.awaiting) settle(true);
  }

  #here(): Position {
    return retainedPosition.parse(this.#options.channel.position())!;
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
