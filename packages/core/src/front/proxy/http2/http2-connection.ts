import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { ForwardingFacts } from "../../../http/forwarding.ts";
import { idleGraceMs } from "../../../model/idle-grace.ts";
import type { Http2Settings } from "../../../options/http2-options.ts";
import type { PublicConnection } from "../../connection-table.ts";
import type { Expiring } from "../../deadline-wheel.ts";
import type { FrontContext } from "../context.ts";
import { Allowance, type AllowanceRate } from "./allowance.ts";
import { Http2Client, type Http2StreamOwner, type StreamEnd } from "./http2-client.ts";
import { burstSeconds, sessionOptions } from "./session-options.ts";

/**
 * - `opening`: the client's first settings are due;
 * - `open`: streams come and go;
 * - `leaving`: the client was told to open no more, and may not have heard of it yet;
 * - `closing`: no stream is opened any more; ends with its last one;
 * - `closed`.
 */
type State = "opening" | "open" | "leaving" | "closing" | "closed";

/** The highest number of a stream: in a first GOAWAY it says that all are answered that come (RFC 9113 §6.8). */
const anyStream = 2 ** 31 - 1;
const noError = 0;
/** RFC 9113 §7: the peer makes work for the sake of it. */
const enhanceYourCalm = 11;
/** Clients kept for further streams where there was none for a while: a connection that rests must not cost what a busy one does. */
const maxResting = 4;
const busyMs = 2_000;

/** One client's connection of HTTP/2: has a client of its own answer each stream. */
export class Http2Connection implements PublicConnection, Http2StreamOwner, Expiring {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly encrypted: boolean;
  readonly facts: ForwardingFacts;
  deadlineTick = 0;
  heldTick = 0;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #context: FrontContext;
  readonly #settings: Http2Settings;
  /** Without a stream; the last one that had one is the next to have one. */
  readonly #free: Http2Client[] = [];
  readonly #resets: Allowance;
  readonly #controls: Allowance;
  readonly #openedAt: number;
  #state: State = "opening";
  #open = 0;
  #tunnels = 0;
  #served = 0;
  #isTunnel = false;

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
    this.#openedAt = clock.now();
    this.#resets = new Allowance(ratePerSecond(http2.maxResetsPerSecond), this.#openedAt);
    this.#controls = new Allowance(ratePerSecond(http2.maxControlFramesPerSecond), this.#openedAt);
    // Who ends its side has left: streams end by frames.
    socket.allowHalfOpen = false;
    // Loaded where there is a client for it: it costs a process 2 MB.
    const { performServerHandshake } = process.getBuiltinModule("node:http2");
    const session = performServerHandshake(socket, sessionOptions(http2, settings.limits));
    this.#session = session;
    // Of all streams together. Node gives back at once what it has read, so that one that waits does not hold up others.
    session.setLocalWindowSize(http2.windowBytes * connectionWindows);
    session.on("stream", (stream, _headers, flags, fields: readonly string[] = []) => {
      this.#begin(stream, fields, (flags & endStreamFlag) !== 0);
    });
    session.on("remoteSettings", () => this.#settingsReceived());
    session.on("ping", () => this.#controlReceived());
    session.on("goaway", () => this.#close());
    // The close that follows says all there is to do.
    session.on("error", ignore);
    socket.on("error", ignore);
    socket.on("close", () => this.#closed());
    this.#deadline(settings.timeouts.headersMs);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /**
   * Says that no stream is to be opened any more, answers those that are on their way all the same, and ends with the last:
   * two GOAWAYs, with time for the first to arrive in between (RFC 9113 §6.8).
   */
  drain(): void {
    // One that nghttp2 has given up closes by itself.
    if (this.#session.destroyed || (this.#state !== "opening" && this.#state !== "open")) return;
    this.#state = "leaving";
    this.#session.goaway(noError, anyStream);
    // Its answer comes behind all that was sent before the GOAWAY was read.
    this.#session.ping(() => this.#close());
    this.#deadline(idleGraceMs);
  }

  expired(): void {
    switch (this.#state) {
      case "opening":
      case "closing":
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

  streamClosed(client: Http2Client, end: StreamEnd): void {
    this.#open--;
    if (end === "tunnel") this.#tunnels--;
    if (this.#state === "closed") {
      client.close();
      return;
    }
    this.#free.push(client);
    const now = this.#context.clock.now();
    if (end === "given-up" && !this.#resets.take(now)) {
      this.#calm();
      return;
    }
    if (now - this.#openedAt >= this.#settings.maxAgeMs) this.drain();
    this.#rest();
  }

  tunnelOpened(): void {
    this.#tunnels++;
    this.#notice();
  }

  #begin(stream: ServerHttp2Stream, fields: readonly string[], endStream: boolean): void {
    this.#open++;
    this.#served++;
    if (this.#state === "open") this.#deadline(Number.POSITIVE_INFINITY);
    const client = this.#free.pop() ?? new Http2Client(this, this.#context);
    client.serve(stream, fields, endStream);
    if (this.#served >= this.#settings.maxRequests) this.drain();
  }

  #settingsReceived(): void {
    if (this.#state === "opening") {
      this.#state = "open";
      this.#rest();
    }
    this.#controlReceived();
  }

  #controlReceived(): void {
    if (!this.#controls.take(this.#context.clock.now())) this.#calm();
  }

  /** No stream is open, perhaps: what the deadline is for then. */
  #rest(): void {
    this.#notice();
    if (this.#open > 0) return;
    const { keepAliveMs, lingerMs } = this.#context.settings.timeouts;
    if (this.#state === "open") this.#deadline(this.#crowded ? Math.min(busyMs, keepAliveMs) : keepAliveMs);
    // Our side has ended by itself; the client's has as long as after a last answer of HTTP/1.1.
    else if (this.#state === "closing") this.#deadline(lingerMs);
  }

  #close(): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.#state = "closing";
    this.#deadline(Number.POSITIVE_INFINITY);
    if (!this.#session.destroyed) this.#session.close();
    this.#rest();
  }

  /** Ends it at once, streams and all, and says why. */
  #calm(): void {
    if (this.#state === "closed") return;
    this.#context.observer.floodStopped?.(this);
    this.#state = "closing";
    this.#session.destroy(new Error("The client makes work for the sake of it"), enhanceYourCalm);
    this.#deadline(this.#context.settings.timeouts.lingerMs);
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
    for (const client of this.#free.splice(0)) client.close();
    this.#context.connectionClosed(this, this.#isTunnel);
  }
}

const endStreamFlag = 1;
/** Streams' worth of bytes that may be on their way to us on one connection. */
const connectionWindows = 4;

function ratePerSecond(perSecond: number): AllowanceRate {
  return { burst: perSecond * burstSeconds, perSecond };
}

function ignore(): void {}
