import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { ForwardingFacts } from "../../../http/forwarding.ts";
import type { ProxiedClient } from "../../../http/proxy-header.ts";
import type { HeaderList } from "../../../http2/hpack/decoder.ts";
import type { OutputBuffer } from "../../../http2/output-buffer.ts";
import { type ErrorCode, errorCode } from "../../../http2/protocol.ts";
import { RequestReader } from "../../../http2/request-reader.ts";
import { Http2Session, type SessionHost } from "../../../http2/session.ts";
import type { Http2Stream } from "../../../http2/stream.ts";
import { idleGraceMs } from "../../../model/idle-grace.ts";
import type { Http2Settings } from "../../../options/http2-options.ts";
import { clientOrigin } from "../../client-origin.ts";
import type { PublicConnection } from "../../connection-table.ts";
import type { Expiring } from "../../deadline-wheel.ts";
import type { FrontContext } from "../context.ts";
import { Http2Client, type Http2StreamOwner, type StreamEnd } from "./http2-client.ts";
import { flushAtTurnEnd } from "./turn-end.ts";

/**
 * - `opening`: the client's first settings are due;
 * - `open`: streams come and go;
 * - `leaving`: the client was told to open no more, and may not have heard of it yet;
 * - `closing`: no stream is opened any more; ends with its last one;
 * - `lingering`: our side has ended; what arrives is dropped;
 * - `closed`.
 */
type State = "opening" | "open" | "leaving" | "closing" | "lingering" | "closed";

/** Clients kept for further streams where there was none for a while: a connection that rests must not cost what a busy one does. */
const maxResting = 4;
const busyMs = 2_000;
/** Of what waits to be written, for reading to go on. DATA stops long before; so it is answers that their client does not read. */
const maxQueuedBytes = 524_288;
/** Frames up to which they are copied behind others that wait, so that their buffer can be used again. */
const maxCopiedBytes = 16_384;
/** Bytes dropped after the end before the client is cut off. */
const maxLingerBytes = 1_048_576;

/** One client's connection of HTTP/2: has a client of its own answer each stream. */
export class Http2Connection implements PublicConnection, Http2StreamOwner, SessionHost, Expiring {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly encrypted: boolean;
  readonly listener: number;
  readonly facts: ForwardingFacts;
  readonly reader: RequestReader;
  deadlineTick = 0;
  heldTick = 0;
  readonly #socket: Socket;
  readonly #session: Http2Session;
  readonly #context: FrontContext;
  readonly #settings: Http2Settings;
  /** Without a stream; the last one that had one is the next to have one. */
  readonly #free: Http2Client[] = [];
  readonly #openedAt: number;
  #state: State = "opening";
  #open = 0;
  #tunnels = 0;
  #served = 0;
  #isTunnel = false;
  #flushDue = false;
  #lingered = 0;

  constructor(socket: Socket, facts: ForwardingFacts, context: FrontContext) {
    const { settings, clock } = context;
    const http2 = settings.http2 as Http2Settings;
    this.#socket = socket;
    this.#context = context;
    this.#settings = http2;
    this.facts = facts;
    this.remoteAddress = facts.peerAddress;
    this.remotePort = facts.peerPort ?? socket.remotePort ?? 0;
    this.encrypted = facts.encrypted;
    this.listener = facts.listener ?? 0;
    this.reader = new RequestReader(context.headLimits, webSocketKey);
    this.#openedAt = clock.now();
    // Who ends its side has left: streams end by frames.
    socket.allowHalfOpen = false;
    const { maxHeadBytes, maxHeaders } = settings.limits;
    this.#session = new Http2Session(
      this,
      {
        ...http2,
        connectionWindowBytes: http2.windowBytes * connectionWindows,
        // What our parser refuses with a status is let through to it.
        maxListBytes: maxHeadBytes * 2,
        maxFields: maxHeaders * 2 + pseudoAndJoined,
      },
      () => clock.now(),
    );
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("drain", () => this.#drained());
    // The close that follows says all there is to do.
    socket.on("error", ignore);
    socket.on("close", () => this.#closed());
    this.#deadline(settings.timeouts.headersMs);
  }

  origin(): ProxiedClient {
    return clientOrigin(this.#socket, this.facts);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  cutOff(isDenied: (address: string) => boolean): void {
    for (const user of this.#session.users) if (user instanceof Http2Client) user.cutOff(isDenied);
  }

  /**
   * Says that no stream is to be opened any more, answers those that are on their way all the same, and ends with the last:
   * two GOAWAYs, with time for the first to arrive in between (RFC 9113 §6.8).
   */
  drain(): void {
    if (this.#state !== "opening" && this.#state !== "open") return;
    this.#state = "leaving";
    this.#session.goaway(false);
    // Its answer comes behind all that was sent before the GOAWAY was read.
    this.#session.ping();
    this.#deadline(idleGraceMs);
  }

  expired(): void {
    switch (this.#state) {
      case "opening":
      case "closing":
      case "lingering":
        this.destroy();
        return;
      case "open": {
        const { keepAliveMs } = this.#context.settings.timeouts;
        if (this.#crowded && keepAliveMs > busyMs) {
          for (const client of this.#free.splice(maxResting)) client.close();
          this.#deadline(keepAliveMs - busyMs);
        } else this.drain();
        return;
      }
      case "leaving":
        this.#close();
        return;
      case "closed":
        return;
      default:
        this.#state satisfies never;
    }
  }

  streamOpened(stream: Http2Stream, list: HeaderList): void {
    this.#open++;
    this.#served++;
    if (this.#state === "open") this.#deadline(Number.POSITIVE_INFINITY);
    const client = this.#resting() ?? new Http2Client(this, this.#context);
    stream.user = client;
    client.serve(stream, list);
    if (this.#served >= this.#settings.maxRequests) this.drain();
  }

  /** One that was made by settings that are not in force any more is none. */
  #resting(): Http2Client | undefined {
    for (;;) {
      const client = this.#free.pop();
      if (client === undefined || client.current) return client;
      client.close();
    }
  }

  streamClosed(client: Http2Client, end: StreamEnd): void {
    this.#open--;
    if (end === "tunnel") this.#tunnels--;
    if (this.#state === "closed" || this.#state === "lingering") {
      client.close();
      return;
    }
    this.#free.push(client);
    if (end === "given-up" && !this.#session.guard.reset()) {
      this.#session.fail(errorCode.enhanceYourCalm);
      return;
    }
    if (this.#context.clock.now() - this.#openedAt >= this.#settings.maxAgeMs) this.drain();
    this.#rest();
  }

  tunnelOpened(): void {
    this.#tunnels++;
    this.#notice();
  }

  settingsReceived(): void {
    if (this.#state !== "opening") return;
    this.#state = "open";
    this.#rest();
  }

  pinged(): void {
    if (this.#state === "leaving") this.#close();
  }

  goawayReceived(): void {
    this.#close();
  }

  failed(code: ErrorCode): void {
    if (code === errorCode.enhanceYourCalm) this.#context.observer.floodStopped?.(this);
    this.#linger();
  }

  flushDue(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    flushAtTurnEnd(this);
  }

  flush(): void {
    this.#flushDue = false;
    this.#session.flush();
  }

  write(output: OutputBuffer): boolean {
    const socket = this.#socket;
    if (socket.writableLength > 0 && output.length <= maxCopiedBytes) {
      socket.write(Buffer.from(output.bytes.subarray(0, output.length)));
      output.free();
    } else socket.write(output.bytes.subarray(0, output.length), output.free);
    if (socket.writableLength > maxQueuedBytes) socket.pause();
    return !socket.writableNeedDrain;
  }

  #received(chunk: Buffer): void {
    if (this.#state !== "lingering") {
      this.#session.receive(chunk);
      return;
    }
    this.#lingered += chunk.length;
    if (this.#lingered > maxLingerBytes) this.destroy();
  }

  #drained(): void {
    this.#session.drained();
    this.#socket.resume();
  }

  /** No stream is open, perhaps: what the deadline is for then. */
  #rest(): void {
    this.#notice();
    if (this.#open > 0) return;
    const { keepAliveMs } = this.#context.settings.timeouts;
    if (this.#state === "open") this.#deadline(this.#crowded ? Math.min(busyMs, keepAliveMs) : keepAliveMs);
    else if (this.#state === "closing") this.#linger();
  }

  #close(): void {
    if (this.#state === "closing" || this.#state === "lingering" || this.#state === "closed") return;
    this.#state = "closing";
    this.#deadline(Number.POSITIVE_INFINITY);
    this.#session.goaway(true);
    this.#rest();
  }

  /** Sends what is written, then FIN, and reads on for a while: a reset would take the last frames from the client. */
  #linger(): void {
    if (this.#state === "lingering" || this.#state === "closed") return;
    this.#state = "lingering";
    for (const client of this.#free.splice(0)) client.close();
    this.#deadline(this.#context.settings.timeouts.lingerMs);
    setImmediate(() => {
      this.flush();
      this.#socket.end();
      this.#socket.resume();
    });
  }

  get #crowded(): boolean {
    return this.#free.length > maxResting;
  }

  /** It has become what a tunnel of HTTP/1.1 is: nothing but tunnels, and nothing else to come. */
  #notice(): void {
    if (this.#isTunnel || this.#state !== "closing" || this.#tunnels === 0 || this.#tunnels < this.#open) return;
    this.#isTunnel = true;
    this.#context.tunnelOpened();
  }

  #deadline(ms: number): void {
    this.#context.wheel.set(this, ms);
  }

  #closed(): void {
    this.#state = "closed";
    this.#context.wheel.clear(this);
    this.#session.closed();
    for (const client of this.#free.splice(0)) client.close();
    this.#context.connectionClosed(this, this.#isTunnel);
  }
}

/** Streams' worth of bytes that may be on their way to us on one connection. */
const connectionWindows = 4;

/** Pseudo-header fields, of which a request has five at most, and those that are joined into one. */
const pseudoAndJoined = 64;

/** For apps that tell WebSockets apart by it. */
function webSocketKey(): string {
  return randomBytes(16).toString("base64");
}

function ignore(): void {}
