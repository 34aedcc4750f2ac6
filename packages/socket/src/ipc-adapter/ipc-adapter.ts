import { type Clock, type HubChannel, hubChannel, type RetainedMessage } from "@lb/core";
import {
  type BroadcastOptions,
  ClusterAdapter,
  type ClusterMessage,
  type ClusterResponse,
  MessageType,
  type Session,
} from "socket.io-adapter";
import { AwaitedAnswers } from "./awaited-answers.ts";
import { BroadcastReader, encodeBroadcast, Kind, type Recipients } from "./broadcast-codec.ts";
import type { IpcAdapterSettings } from "./ipc-adapter-options.ts";
import type { AdaptedNamespace } from "./namespace.ts";
import { Recovery } from "./recovery.ts";
import { refreshMs } from "./session-writer.ts";
import { decodeStructured, encodeStructured } from "./structured.ts";
import {
  decodeWire,
  type Encoder,
  eventType,
  type Packet,
  type Parser,
  type Wire,
  WireEncoder,
  WirePacket,
  withOffset,
} from "./wire-packet.ts";

/** The version of what instances say to one another: those of another one do not hear it. */
const protocol = 1;
/** As long as anything is kept anywhere. */
const longestMs = 86_400_000;
const nobody: ReadonlySet<string> = new Set();
const clusterKind = Buffer.from([Kind.cluster]);

/**
 * Socket.IO across the instances of a cluster, through its primary. Every namespace has a channel of its own, so that the
 * members of the channel are those who have the namespace.
 */
export class IpcAdapter extends ClusterAdapter {
  readonly #settings: IpcAdapterSettings;
  readonly #namespace: AdaptedNamespace;
  readonly #channel: HubChannel;
  readonly #encoder: Encoder;
  readonly #reader = new BroadcastReader();
  readonly #answers: AwaitedAnswers;
  readonly #recovery: Recovery | undefined;
  readonly #subscriptions: (() => void)[] = [];
  /** Nobody else is spoken to any more; clients that are still here are served. */
  #closed = false;

  constructor(namespace: AdaptedNamespace, settings: IpcAdapterSettings, clock: Clock) {
    super(namespace);
    this.#answers = new AwaitedAnswers(clock);
    const { server, name } = namespace;
    this.#settings = settings;
    this.#namespace = namespace;
    this.#encoder = server.encoder;
    // The base class has it for itself, and asks it for what goes to the clients.
    Reflect.set(this, "encoder", new WireEncoder(server.encoder));
    const { connectionStateRecovery } = server.opts;
    const maxAgeMs = Math.min(Math.max(1, connectionStateRecovery?.maxDisconnectionDuration ?? 120_000), longestMs);
    const { maxEntries, maxBytes } = settings.retention;
    this.#channel = hubChannel(
      `${settings.name}/${protocol}:${name}`,
      // Longer than clients may stay away, since where they were is known from when it was last written.
      connectionStateRecovery
        ? { retention: { maxEntries, maxBytes, maxAgeMs: Math.min(maxAgeMs + 2 * refreshMs, longestMs) } }
        : {},
    );
    // As the base class marks what it sends, and finds whom to answer.
    Reflect.set(this, "uid", this.#channel.self);
    if (namespace.adapter instanceof IpcAdapter) namespace.adapter.#detach();
    this.#subscriptions.push(
      this.#channel.onMessage((payload, from) => this.#received(payload, from)),
      this.#channel.onLeave((endpointId) => this.#answers.left(endpointId)),
    );
    if (connectionStateRecovery) {
      this.#subscriptions.push(this.#channel.onRetained((message) => this.#retained(message)));
      this.#recovery = new Recovery({
        channel: this.#channel,
        namespace,
        maxDisconnectionMs: maxAgeMs,
        reader: this.#reader,
        deliver: (sid, data) => this.#deliverTo(sid, data),
        failed: (error) => this.#failed(error),
        clock,
      });
    }
  }

  override close(): void {
    this.#closed = true;
    this.#detach();
    this.#channel.close();
  }

  override async serverCount(): Promise<number> {
    return (await this.#others()).length + 1;
  }

  /** Local clients get it at once, before this returns: what follows, such as a disconnection, comes after it. */
  override async broadcast(packet: Packet, options: BroadcastOptions): Promise<void> {
    const { rooms, except = nobody, flags = {} } = options;
    packet.nsp = this.#namespace.name;
    const wire: Wire = this.#encoder.encode(packet);
    if (flags.local !== true) this.#send(packet, { rooms, except, flags }, wire);
    this.#deliver({ rooms, except, flags: { ...flags, local: true } }, wire, packet);
  }

  override async addSockets(options: BroadcastOptions, rooms: string[]): Promise<void> {
    if (!options.flags?.local) {
      void this.publish({ type: MessageType.SOCKETS_JOIN, data: { opts: asArrays(options), rooms } });
    }
    await super.addSockets(onlyHere(options), rooms);
  }

  override async delSockets(options: BroadcastOptions, rooms: string[]): Promise<void> {
    if (!options.flags?.local) {
      void this.publish({ type: MessageType.SOCKETS_LEAVE, data: { opts: asArrays(options), rooms } });
    }
    await super.delSockets(onlyHere(options), rooms);
  }

  override async disconnectSockets(options: BroadcastOptions, close: boolean): Promise<void> {
    if (!options.flags?.local) {
      void this.publish({ type: MessageType.DISCONNECT_SOCKETS, data: { opts: asArrays(options), close } });
    }
    await super.disconnectSockets(onlyHere(options), close);
  }

  override async fetchSockets(options: BroadcastOptions): Promise<unknown[]> {
    const sockets = (await super.fetchSockets(onlyHere(options))) as unknown[];
    if (options.flags?.local) return sockets;
    const from = await this.#others();
    return new Promise((resolve, reject) => {
      this.#answers.await(
        {
          from,
          timeoutMs: options.flags?.timeout ?? this.#settings.requestTimeoutMs,
          answered: (remote) => resolve([...sockets, ...remote]),
          timedOut: (_, missing) => reject(timeout(missing)),
        },
        (requestId) => {
          this.publish({ type: MessageType.FETCH_SOCKETS, data: { opts: asArrays(options), requestId } });
        },
      );
    });
  }

  override async serverSideEmit(packet: unknown[]): Promise<void> {
    const ack = packet.at(-1);
    if (typeof ack !== "function") {
      this.publish({ type: MessageType.SERVER_SIDE_EMIT, data: { packet } });
      return;
    }
    const question = packet.slice(0, -1);
    const from = await this.#others();
    this.#answers.await(
      {
        from,
        timeoutMs: this.#settings.requestTimeoutMs,
        answered: (answers) => ack(null, answers),
        timedOut: (answers, missing) => ack(timeout(missing), answers),
      },
      (requestId) => this.publish({ type: MessageType.SERVER_SIDE_EMIT, data: { packet: question, requestId } }),
    );
  }

  override addAll(id: string, rooms: Set<string>): void {
    super.addAll(id, rooms);
    this.#recovery?.joined(id, rooms);
  }

  override del(id: string, room: string): void {
    super.del(id, room);
    this.#recovery?.left(id, room);
  }

  override delAll(id: string): void {
    super.delAll(id);
    this.#recovery?.gone(id);
  }

  override persistSession(session: { readonly sid: string; readonly data: unknown }): void {
    this.#recovery?.disconnected(session.sid, session.data);
  }

  override async restoreSession(pid: string, offset: string): Promise<Session> {
    // Socket.IO takes nothing for "there is none"; the types of the base class do not say so.
    return (await this.#recovery?.restore(pid, offset)) as Session;
  }

  protected override async doPublish(message: ClusterMessage): Promise<string> {
    this.#guarded(() => this.#channel.publish(Buffer.concat([clusterKind, encodeStructured(message)])));
    return "";
  }

  protected override async doPublishResponse(requester: string, response: ClusterResponse): Promise<void> {
    this.#guarded(() => this.#channel.send(requester, Buffer.concat([clusterKind, encodeStructured(response)])));
  }

  protected override onResponse(response: ClusterResponse): void {
    switch (response.type) {
      case MessageType.FETCH_SOCKETS_RESPONSE:
        this.#answers.answer(response.data.requestId, response.uid, response.data.sockets);
        return;
      case MessageType.SERVER_SIDE_EMIT_RESPONSE:
        this.#answers.answer(response.data.requestId, response.uid, [response.data.packet]);
        return;
      case MessageType.BROADCAST_CLIENT_COUNT:
      case MessageType.BROADCAST_ACK:
        super.onResponse(response);
        return;
    }
  }

  /** Another adapter takes its place, on the same channel. */
  #detach(): void {
    this.#recovery?.close();
    for (const cancel of this.#subscriptions.splice(0)) cancel();
  }

  /** The app gave the namespace another adapter, of which Socket.IO tells nobody. */
  #isReplaced(): boolean {
    if (this.#namespace.adapter === this) return false;
    this.#detach();
    return true;
  }

  async #others(): Promise<readonly string[]> {
    if (this.#closed) return [];
    try {
      await this.#channel.ready();
    } catch (error) {
      this.#failed(error);
    }
    return this.#channel.members();
  }

  #send(packet: Packet, recipients: Recipients, wire: Wire): void {
    const recovery = this.#recovery;
    // The answer to it is awaited by the one socket here that it goes to.
    if (packet.id !== undefined) return;
    if (recovery === undefined || packet.type !== eventType || recipients.flags.volatile === true) {
      this.#guarded(() => this.#channel.publish(encodeBroadcast(recipients, wire)));
      return;
    }
    this.#guarded(() => {
      const message = this.#channel.retain(encodeBroadcast(recipients, wire));
      recovery.passed(message, recipients, () => packet.data);
    });
  }

  #received(payload: Buffer, from: string): void {
    if (this.#isReplaced()) return;
    try {
      switch (payload[0]) {
        case Kind.text:
        case Kind.parts: {
          const { recipients, wire } = this.#reader.read(payload);
          if (this.#concerns(recipients)) this.#deliver(recipients, wire());
          return;
        }
        case Kind.cluster:
          this.onMessage(decodeStructured(payload.subarray(1)) as ClusterMessage);
          return;
        case Kind.session:
          this.#recovery?.owners.told(payload.subarray(1), from);
          return;
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  #retained(message: RetainedMessage): void {
    if (this.#isReplaced()) return;
    try {
      const { recipients, wire } = this.#reader.read(message.payload as Buffer);
      this.#recovery?.passed(message, recipients, () => new WirePacket(wire(), this.#parser).data);
      if (this.#concerns(recipients)) this.#deliver(recipients, wire());
    } catch (error) {
      this.#failed(error);
    }
  }

  #concerns({ rooms }: Recipients): boolean {
    if (rooms.size === 0) return this.sids.size > 0;
    for (const room of rooms) if (this.rooms.has(room)) return true;
    return false;
  }

  /** To the clients here, whom the base class finds: it sends nothing to others when it is told that they are `local`. */
  #deliver(recipients: Recipients, wire: Wire, packet?: Packet): void {
    const toClients = packet?.id === undefined ? this.#withOffset(wire, packet) : wire;
    void super.broadcast(new WirePacket(toClients, this.#parser, packet?.data), recipients as BroadcastOptions);
  }

  #deliverTo(sid: string, data: unknown[]): void {
    void super.broadcast(
      { type: eventType, data },
      { rooms: new Set([sid]), except: new Set(), flags: { local: true } },
    );
  }

  /**
   * With recovery every event carries the position of this instance, those that are not kept too: clients take whatever
   * text comes last for their offset.
   */
  #withOffset(wire: Wire, packet: Packet | undefined): Wire {
    if (this.#recovery === undefined) return wire;
    const offset = this.#channel.position();
    const [text, ...parts] = wire;
    if (typeof text === "string" && this.#namespace.server.opts.parser === undefined) {
      return [withOffset(text, offset), ...parts];
    }
    const { type, nsp, data } = packet ?? decodeWire(wire, this.#parser);
    return this.#encoder.encode({ type, ...(nsp === undefined ? {} : { nsp }), data: [...data, offset] });
  }

  /** Clients here get what there is, whatever becomes of the others. */
  #guarded(send: () => void): void {
    if (this.#closed) return;
    try {
      send();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    // What was awaited when it was closed.
    if (this.#closed) return;
    const { code } = error as { readonly code?: unknown };
    // That the primary is gone is told by other means; where a connection broke, what is known of sessions is written again.
    if (code === "LB_HUB_LOST" || code === "LB_HUB_CUT") return;
    this.#settings.onError(error as Error);
  }

  get #parser(): Parser {
    return this.#namespace.server._parser;
  }
}

/** What the base class does to the clients here before it returns: what the caller sends next finds it done. */
function onlyHere(options: BroadcastOptions): BroadcastOptions {
  return { ...options, flags: { ...options.flags, local: true } };
}

/** As it is said to other instances. */
function asArrays({ rooms, except, flags = {} }: BroadcastOptions) {
  return { rooms: [...rooms], except: [...(except ?? [])], flags };
}

function timeout(missing: number): Error {
  return new Error(`timeout reached: ${missing} instance(s) have not answered`);
}
