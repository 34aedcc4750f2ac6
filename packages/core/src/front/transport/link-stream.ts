import type { LinkError } from "../../link/errors.ts";
import { StreamEnd, type StreamLink } from "../../link/stream-end.ts";
import type { UpstreamClient, UpstreamFailure, UpstreamSink, UpstreamStream } from "./upstream.ts";

/**
 * Where a stream is in its life; it serves one exchange after the other of one client.
 * - `busy`: an exchange is under way.
 * - `marked`: as `busy`, and the worker has marked the end of its response.
 * - `stray`: as `marked`, and bytes came after the mark. They belong to nothing, so this exchange is the last.
 * - `released`: the exchange is complete for the front, the worker's mark has yet to come.
 * - `idle`: it has; the next exchange may begin.
 * - `gone`: destroyed by either side.
 */
type StreamState = "busy" | "marked" | "stray" | "released" | "idle" | "gone";

/** The streams of one transport, as they need it. */
export interface StreamHome {
  /** The stream on which each client's next exchange may go. */
  readonly byClient: Map<UpstreamClient, LinkStream>;
}

/** The front's end of a stream on the link. */
export class LinkStream extends StreamEnd implements UpstreamStream {
  reused = false;
  readonly client: UpstreamClient;

  readonly #home: StreamHome;
  #sink: UpstreamSink | undefined;
  #state: StreamState = "busy";
  #paused = false;
  /** A `write` returned false. */
  #writableDue = false;
  /** Bytes that came while paused, and what came after them. The window bounds them. */
  readonly #held: Buffer[] = [];
  #heldBytes = 0;
  #heldMark = false;
  #heldFin = false;
  #heldFailure: UpstreamFailure | undefined;
  /** Held bytes are being delivered. */
  #delivering = false;
  /** Destroy rather than keep for a next exchange. */
  #lastExchange = false;
  /** A sweep has seen it between exchanges. */
  #sweptOnce = false;

  constructor(link: StreamLink, client: UpstreamClient, sink: UpstreamSink, home: StreamHome) {
    super(link);
    this.client = client;
    this.#sink = sink;
    this.#home = home;
    client.streams.add(this);
    home.byClient.set(client, this);
  }

  /** Starts the next exchange. False: the stream is not free for one. */
  begin(sink: UpstreamSink): boolean {
    if (this.#state !== "idle") return false;
    this.#state = "busy";
    this.#sink = sink;
    this.reused = true;
    this.#sweptOnce = false;
    this.firstBatch = -1;
    return true;
  }

  write(bytes: Buffer | string): boolean {
    const sent = typeof bytes === "string" ? this.sendText(bytes, "latin1") : this.send(bytes);
    if (sent !== "queued") return true;
    this.#writableDue = true;
    return false;
  }

  redirect(sink: UpstreamSink): void {
    this.#sink = sink;
  }

  end(): void {
    this.sendFin(0);
    this.#closeIfEnded();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#deliverHeld();
  }

  release(): void {
    switch (this.#state) {
      case "busy":
        this.#rest("released");
        break;
      case "marked":
        this.#rest("idle");
        break;
      case "stray":
        this.destroy();
        break;
      case "released":
      case "idle":
      case "gone":
        break;
    }
  }

  destroy(): void {
    if (this.#state === "gone") return;
    this.#forget();
    this.close(0);
  }

  /** Between two exchanges. */
  get resting(): boolean {
    return this.#state === "idle" || this.#state === "released";
  }

  /** No exchange after this one. */
  finish(): void {
    this.#lastExchange = true;
    if (this.resting) this.destroy();
  }

  /** Called at even intervals: gives up a stream that has rested for a whole one. */
  sweep(): void {
    if (!this.resting) return;
    if (this.#sweptOnce) this.destroy();
    this.#sweptOnce = true;
  }

  /** Tells whoever waits here that the endpoint is silent. */
  silent(): void {
    if (this.#state === "busy" && this.#held.length === 0) this.#sink?.upstreamSilent?.();
  }

  /** Ends the exchange with `failure`, after what is held for its reader. */
  fail(failure: UpstreamFailure): void {
    if (this.#held.length > 0) {
      this.#heldFailure = failure;
      return;
    }
    const sink = this.#sink;
    this.destroy();
    sink?.upstreamFailed(failure);
  }

  override onOpen(): void {
    this.resumeSending();
  }

  override onBytes(buffer: Buffer, start: number, end: number, last: boolean): boolean {
    switch (this.#state) {
      case "busy": {
        if (this.#paused || this.#held.length > 0) {
          this.#hold(buffer, start, end);
          if (last) this.onResponseEnd();
          return false;
        }
        // Marked before its reader sees the bytes, so that a release from there makes it idle, and an `open` finds it.
        if (last) this.#state = "marked";
        const free = this.#sink!.upstreamBytes(buffer, start, end);
        if (!this.#paused) this.settle(0);
        if (last && this.#state === "marked") this.#sink!.upstreamComplete?.();
        return free;
      }
      case "marked":
        this.#state = "stray";
        return true;
      case "stray":
      case "gone":
        return true;
      case "released":
      case "idle":
        this.destroy();
        return true;
    }
  }

  override onResponseEnd(): void {
    switch (this.#state) {
      case "busy":
        this.#state = "marked";
        if (this.#held.length > 0) this.#heldMark = true;
        else this.#sink!.upstreamComplete?.();
        break;
      case "marked":
        this.#state = "stray";
        break;
      case "released":
        this.#rest("idle");
        break;
      case "idle":
        this.destroy();
        break;
      case "stray":
      case "gone":
        break;
    }
  }

  override onFin(unseen: boolean): void {
    if (this.resting) {
      this.destroy();
    } else if (unseen && this.#state === "busy") {
      this.fail({ reason: "reset", sent: false });
    } else if (this.#held.length > 0) {
      this.#heldFin = true;
    } else {
      this.#sink?.upstreamEnd();
      this.#closeIfEnded();
    }
  }

  override onPeerClose(unseen: boolean): void {
    // Unseen and marked: it is the exchange before this one's end that the worker speaks of.
    this.fail({ reason: "reset", sent: !(unseen && this.#state === "busy") && this.#requestLeft() });
  }

  override onLost(error: LinkError): void {
    this.fail({ reason: "reset", sent: this.#requestLeft(), endpointDown: true, cause: error });
  }

  override onDrained(): void {
    this.#closeIfEnded();
    if (!this.#writableDue) return;
    this.#writableDue = false;
    this.#sink?.upstreamWritable();
  }

  /** The front never changes bytes that it has written, so it need not know. */
  override onWritten(): void {}

  #requestLeft(): boolean {
    return this.firstBatch >= 0 && this.link.flushes > this.firstBatch;
  }

  #rest(state: "released" | "idle"): void {
    const superseded = this.#home.byClient.get(this.client) !== this;
    if (this.#held.length > 0 || this.#lastExchange || this.finReceived || (superseded && state === "idle")) {
      this.destroy();
      return;
    }
    this.#state = state;
    this.#sink = undefined;
    this.#paused = false;
    // What was read while paused is granted now: the next response may need it before its first byte.
    this.settle(0);
    this.#writableDue = false;
  }

  #forget(): void {
    this.#state = "gone";
    this.#sink = undefined;
    this.#held.length = 0;
    this.client.streams.delete(this);
    if (this.#home.byClient.get(this.client) === this) this.#home.byClient.delete(this.client);
  }

  #closeIfEnded(): void {
    if (this.finSent && this.finReceived && this.#held.length === 0) this.destroy();
  }

  #hold(buffer: Buffer, start: number, end: number): void {
    const bytes = buffer.subarray(start, end);
    // A small part of a large read would keep all of it alive.
    this.#held.push(bytes.length * 2 < buffer.length ? Buffer.from(bytes) : bytes);
    this.#heldBytes += bytes.length;
  }

  #deliverHeld(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    const held = this.#held;
    while (held.length > 0 && !this.#paused) {
      const bytes = held.shift()!;
      this.#heldBytes -= bytes.length;
      this.#sink!.upstreamBytes(bytes, 0, bytes.length);
    }
    this.#delivering = false;
    if (this.#state === "gone") return;
    if (!this.#paused) this.settle(this.#heldBytes);
    if (held.length > 0) return;
    if (this.#heldMark) {
      this.#heldMark = false;
      this.#sink?.upstreamComplete?.();
    }
    if (this.#heldFin) {
      this.#heldFin = false;
      this.#sink?.upstreamEnd();
      this.#closeIfEnded();
    }
    if (this.#heldFailure !== undefined) this.fail(this.#heldFailure);
  }
}
