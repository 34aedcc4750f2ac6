import { BlockAssembly } from "./block-assembly.ts";
import { ConnectionWindow } from "./connection-window.ts";
import { DataPayload } from "./data-payload.ts";
import { FloodGuard, type FloodLimits } from "./flood-guard.ts";
import { FrameOutput, type FrameTarget } from "./frame-output.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { frameFault } from "./frame-rules.ts";
import { type HeaderList, HpackDecoder } from "./hpack/decoder.ts";
import { PeerSettings } from "./peer-settings.ts";
import {
  defaultFrameBytes,
  defaultWindow,
  type ErrorCode,
  errorCode,
  flag,
  frameType,
  maxStreamId,
  maxWindow,
  preface,
  settingId,
} from "./protocol.ts";
import { SendWindow } from "./send-window.ts";
import { Http2Stream, type StreamHome, type StreamUser } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

export interface SessionLimits extends FloodLimits {
  readonly maxStreams: number;
  /** Of one stream. */
  readonly windowBytes: number;
  /** Of all streams together: what may be on its way to us. */
  readonly connectionWindowBytes: number;
  readonly maxListBytes: number;
  readonly maxFields: number;
}

/** Whose connection it is. */
export interface SessionHost extends FrameTarget {
  /** A request. Its user is to be set. */
  streamOpened(stream: Http2Stream, list: HeaderList): void;
  settingsReceived(): void;
  /** The answer to {@link Http2Session.ping}. */
  pinged(): void;
  /** The client opens no streams any more. */
  goawayReceived(): void;
  /** The connection is at its end, of which the client is told with what waits to be flushed; nothing is read any more. */
  failed(code: ErrorCode): void;
}

/**
 * - `preface`: the client's first octets are due, and its settings;
 * - `open`;
 * - `refusing`: the client was told what the last stream is; what it opens after that is nothing to us;
 * - `failed`.
 */
type State = "preface" | "open" | "refusing" | "failed";

/** One connection as a server has it (RFC 9113): what comes is judged here, and becomes streams. It does no I/O. */
export class Http2Session implements StreamHome, FrameSink {
  readonly output: FrameOutput;
  readonly sendWindow: SendWindow;
  readonly windowBytes: number;
  readonly guard: FloodGuard;
  readonly #host: SessionHost;
  readonly #reader: FrameReader;
  readonly #decoder: HpackDecoder;
  readonly #block: BlockAssembly;
  readonly #peer = new PeerSettings();
  readonly #streams: StreamTable;
  readonly #window: ConnectionWindow;
  readonly #data = new DataPayload();
  #state: State = "preface";
  #prefaceRead = 0;
  /** The frame being read. */
  #type = 0;
  #flags = 0;
  #stream = 0;
  /** If it is DATA that somebody takes: the stream it is for. */
  #receiver: Http2Stream | undefined;

  constructor(host: SessionHost, limits: SessionLimits, now: () => number) {
    const { windowBytes, connectionWindowBytes, maxListBytes, maxFields } = limits;
    this.#host = host;
    this.windowBytes = windowBytes;
    this.guard = new FloodGuard(limits, now);
    this.output = new FrameOutput(host);
    this.sendWindow = new SendWindow(this.output, this.guard);
    this.#reader = new FrameReader(this);
    this.#decoder = new HpackDecoder({ maxTableBytes: 4_096, maxListBytes, maxFields });
    this.#block = new BlockAssembly(maxListBytes + defaultFrameBytes);
    this.#window = new ConnectionWindow(connectionWindowBytes);
    this.#streams = new StreamTable(limits.maxStreams);
    this.output.settings([
      [settingId.maxConcurrentStreams, limits.maxStreams],
      [settingId.initialWindowSize, windowBytes],
      [settingId.maxHeaderListSize, maxListBytes],
      [settingId.enableConnectProtocol, 1],
    ]);
    if (connectionWindowBytes > defaultWindow) this.output.windowUpdate(0, connectionWindowBytes - defaultWindow);
  }

  /** Whose the streams are that are open. */
  get users(): readonly StreamUser[] {
    return this.#streams.users;
  }

  receive(chunk: Buffer): void {
    let at = 0;
    while (this.#prefaceRead < preface.length) {
      if (at === chunk.length) return;
      if (chunk[at++] !== preface[this.#prefaceRead++]) {
        this.fail(errorCode.protocolError);
        return;
      }
    }
    this.#reader.receive(chunk, at);
  }

  /** The turn ends: its frames go, and who has had a stream may have another one. */
  flush(): void {
    this.#streams.tellClosed();
    this.output.flush();
  }

  /** The host takes DATA again. */
  drained(): void {
    this.output.blocked = false;
    this.sendWindow.run();
  }

  /** No stream is opened any more from `now` on; otherwise that is what the client is told, and those are answered that come. */
  goaway(now: boolean): void {
    if (this.#state === "failed") return;
    if (now) this.#state = "refusing";
    this.output.goaway(now ? this.#streams.taken : maxStreamId, errorCode.noError);
  }

  ping(): void {
    if (this.#state !== "failed") this.output.ping(pingOctets, 0, false);
  }

  /** Ends the connection for what the client has done, or does. */
  fail(code: ErrorCode): void {
    if (this.#state === "failed") return;
    this.#state = "failed";
    this.#reader.stop();
    this.output.goaway(this.#streams.taken, code);
    this.#streams.lose();
    this.#host.failed(code);
  }

  /** The connection has gone. */
  closed(): void {
    this.#state = "failed";
    this.#reader.stop();
    this.#streams.lose();
    this.output.close();
  }

  held(bytes: number): void {
    this.#opened(this.#window.held(bytes));
  }

  streamClosing(stream: Http2Stream, way: "ended" | "reset"): void {
    if (way === "reset") this.#streams.noteReset(stream.id);
    this.#streams.closing(stream);
  }

  frameBegun(type: number, flags: number, stream: number, length: number): boolean {
    this.#type = type;
    this.#flags = flags;
    this.#stream = stream;
    const place = { first: this.#state === "preface", incomplete: this.#block.stream };
    const wrong = frameFault({ type, flags, stream, length }, place);
    if (wrong !== undefined) this.fail(wrong);
    else if (type === frameType.data) this.#dataBegun(length);
    return this.#state !== "failed";
  }

  dataPiece(buffer: Buffer, from: number, to: number): void {
    const wrong = this.#data.read(buffer, from, to);
    if (wrong !== undefined) {
      this.fail(wrong);
      return;
    }
    const { start, end, other } = this.#data;
    if (other > 0) this.#receiver?.padded(other);
    if (start < end) this.#receiver?.received(buffer, start, end);
    this.#opened(this.#window.came(to - from));
  }

  dataEnded(): void {
    const { fault } = this.#data;
    if (fault !== undefined) this.fail(fault);
    else if ((this.#flags & flag.endStream) !== 0) this.#receiver?.receivedEnd(undefined);
    this.#receiver = undefined;
  }

  payload(buffer: Buffer, start: number, end: number): void {
    switch (this.#type) {
      case frameType.headers:
        this.#headers(buffer, start, end);
        return;
      case frameType.continuation:
        this.#blockPiece(buffer, start, end);
        return;
      case frameType.rstStream:
        this.#rstStream();
        return;
      case frameType.settings:
        this.#settings(buffer, start, end);
        return;
      case frameType.ping:
        this.#ping(buffer, start);
        return;
      case frameType.goaway:
        this.#host.goawayReceived();
        this.#idle();
        return;
      case frameType.windowUpdate:
        this.#windowUpdate(buffer.readUInt32BE(start) & maxWindow);
        return;
      default:
        // PRIORITY, and what we do not know (RFC 9113 §5.5).
        this.#idle();
    }
  }

  #dataBegun(length: number): void {
    this.#receiver = undefined;
    this.#data.begin(length, (this.#flags & flag.padded) !== 0);
    if (!this.#window.take(length)) {
      this.fail(errorCode.flowControlError);
      return;
    }
    const stream = this.#streams.get(this.#stream);
    if (stream === undefined) {
      this.#onClosed(this.#stream);
    } else if (stream.inputEnded) {
      this.#spoilt(stream, errorCode.streamClosed);
    } else if (!stream.expects(length)) {
      // Of the stream it could be as well; but who does not count has no idea of the connection's window either.
      this.fail(errorCode.flowControlError);
    } else {
      this.#receiver = stream;
      if (length > 0) this.guard.used(length);
      else if ((this.#flags & flag.endStream) === 0) this.#idle();
    }
  }

  #opened(bytes: number): void {
    if (bytes > 0 && this.#state !== "failed") this.output.windowUpdate(0, bytes);
  }

  #headers(buffer: Buffer, from: number, to: number): void {
    let start = from;
    let end = to;
    if ((this.#flags & flag.padded) !== 0) end -= start < end ? buffer[start++]! : 1;
    if ((this.#flags & flag.priority) !== 0) start += 5;
    if (start > end) {
      // Padding that is longer than what it pads, or no room for what the flags announce.
      this.fail(errorCode.protocolError);
      return;
    }
    const endStream = (this.#flags & flag.endStream) !== 0;
    if ((this.#flags & flag.endHeaders) !== 0) this.#listReceived(buffer, start, end, endStream);
    else {
      this.#block.begin(this.#stream, endStream);
      this.#blockPiece(buffer, start, end);
    }
  }

  #blockPiece(buffer: Buffer, start: number, end: number): void {
    if (!this.#block.add(buffer, start, end)) {
      this.fail(errorCode.enhanceYourCalm);
    } else if ((this.#flags & flag.endHeaders) !== 0) {
      const block = this.#block.take();
      this.#listReceived(block, 0, block.length, this.#block.endStream);
    }
  }

  #listReceived(block: Buffer, start: number, end: number, endStream: boolean): void {
    const list = this.#decoder.decode(block, start, end);
    if (list === undefined) {
      this.fail(errorCode.compressionError);
      return;
    }
    const stream = this.#streams.get(this.#stream);
    if (stream === undefined) {
      this.#begin(this.#stream, list, endStream);
      return;
    }
    if (stream.inputEnded) this.#spoilt(stream, errorCode.streamClosed);
    else if (!endStream || list.tooLarge) this.#spoilt(stream, errorCode.protocolError);
    else stream.receivedEnd(list);
  }

  #begin(id: number, list: HeaderList, endStream: boolean): void {
    if (id <= this.#streams.last) {
      // Trailers of what we have reset may be on their way; but a stream is opened once (RFC 9113 §5.1.1).
      if (this.#streams.wasReset(id)) this.#idle();
      else this.fail(errorCode.streamClosed);
      return;
    }
    this.#streams.last = id;
    if (this.#state === "refusing") {
      this.#streams.noteReset(id);
      this.#idle();
      return;
    }
    if (this.#streams.full) {
      this.output.rstStream(id, errorCode.refusedStream);
      this.#streams.noteReset(id);
      if (!this.guard.reset()) this.fail(errorCode.enhanceYourCalm);
      return;
    }
    this.guard.used(0);
    const stream = new Http2Stream(id, this, { endStream, sendable: this.#peer.windowBytes });
    this.#streams.add(stream);
    this.#host.streamOpened(stream, list);
  }

  #rstStream(): void {
    const stream = this.#streams.get(this.#stream);
    if (stream === undefined) this.#onClosed(this.#stream);
    else this.#streams.remove(stream);
  }

  #settings(buffer: Buffer, start: number, end: number): void {
    if ((this.#flags & flag.ack) !== 0) {
      this.#idle();
      return;
    }
    const { windowBytes, tableBytes } = this.#peer;
    const wrong = this.#peer.read(buffer, start, end);
    if (wrong !== undefined || !this.guard.control()) {
      this.fail(wrong ?? errorCode.enhanceYourCalm);
      return;
    }
    if (this.#peer.tableBytes < tableBytes) this.output.tableResized();
    this.output.settingsAck();
    const difference = this.#peer.windowBytes - windowBytes;
    if (difference !== 0) {
      if (!this.#streams.windowsChanged(difference)) {
        this.fail(errorCode.flowControlError);
        return;
      }
      this.sendWindow.run();
    }
    if (this.#state === "preface") this.#state = "open";
    this.#host.settingsReceived();
  }

  #ping(buffer: Buffer, start: number): void {
    if ((this.#flags & flag.ack) === 0) {
      if (this.guard.control()) this.output.ping(buffer, start, true);
      else this.fail(errorCode.enhanceYourCalm);
    } else if (pingOctets.compare(buffer, start, start + 8) === 0) this.#host.pinged();
    else this.#idle();
  }

  #windowUpdate(increment: number): void {
    this.#idle();
    if (this.#stream === 0) {
      if (increment === 0) this.fail(errorCode.protocolError);
      else if (!this.sendWindow.opened(increment)) this.fail(errorCode.flowControlError);
      return;
    }
    const stream = this.#streams.get(this.#stream);
    if (stream === undefined) {
      // It may have closed meanwhile; but one that never was cannot have.
      if (this.#stream > this.#streams.last || this.#stream % 2 === 0) this.fail(errorCode.protocolError);
    } else if (increment === 0) this.#spoilt(stream, errorCode.protocolError);
    else if (!stream.windowOpened(increment)) this.#spoilt(stream, errorCode.flowControlError);
  }

  /** DATA or RST_STREAM on a stream that is not open. */
  #onClosed(id: number): void {
    if (id > this.#streams.last || id % 2 === 0) this.fail(errorCode.protocolError);
    else if (this.#type === frameType.rstStream || this.#streams.wasReset(id)) this.#idle();
    else {
      // It has ended it, by END_STREAM or a reset of its own (RFC 9113 §5.1).
      this.output.rstStream(id, errorCode.streamClosed);
      this.#streams.noteReset(id);
      if (!this.guard.reset()) this.fail(errorCode.enhanceYourCalm);
    }
  }

  #idle(): void {
    if (!this.guard.idle()) this.fail(errorCode.enhanceYourCalm);
  }

  /** An error of a stream: its user hears that it is given up. Whoever counts what clients give up counts it there. */
  #spoilt(stream: Http2Stream, code: ErrorCode): void {
    this.output.rstStream(stream.id, code);
    this.#streams.noteReset(stream.id);
    this.#streams.remove(stream);
  }
}

const pingOctets = Buffer.from("lb drain", "latin1");
