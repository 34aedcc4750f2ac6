import { LinkError } from "./errors.ts";
import {
  CLOSE,
  CONTROL_MAX_BYTES,
  DATA,
  FIN,
  FLAG_ENCRYPTED,
  FLAG_RESPONSE_END,
  FLAG_UNSEEN,
  GOAWAY,
  HEADER_BYTES,
  HELLO,
  HELLO_BYTES,
  type Hello,
  MAGIC,
  MAX_PAYLOAD_BYTES,
  OPEN,
  OPEN_MAX_BYTES,
  OPEN_MIN_BYTES,
  PROTOCOL_VERSION,
  RESPONSE_END,
  type StreamClient,
  WINDOW,
  WINDOW_BYTES,
} from "./frame.ts";

/** Receives decoded frames. A method that throws a {@link LinkError} ends the link. */
export interface FrameSink {
  onHello(hello: Hello): void;
  onOpen(id: number, client: StreamClient): void;
  /**
   * A piece of a DATA payload; a frame split by reads comes in several, the last of which carries its flags. True: these
   * bytes are needed no more.
   */
  onData(id: number, flags: number, buffer: Buffer, start: number, end: number): boolean;
  onResponseEnd(id: number): void;
  onFin(id: number, flags: number): void;
  onClose(id: number, flags: number): void;
  onWindow(id: number, bytes: number): void;
  onGoaway(): void;
}

/**
 * Reads frames from bytes split anywhere. DATA payloads are handed on where they lie, never copied or collected; so the
 * decoder holds at most one control frame. Hot path: no allocation per DATA frame.
 */
export class FrameDecoder {
  readonly #sink: FrameSink;
  /** The part of a header or control frame that ended with a read. */
  readonly #partial = Buffer.allocUnsafeSlow(HEADER_BYTES + CONTROL_MAX_BYTES);
  #partialBytes = 0;
  #dataId = 0;
  #dataFlags = 0;
  /** Bytes of the current DATA payload that are still to come. */
  #dataLeft = 0;
  #stopped = false;
  /** Something of the buffer being fed is still needed. */
  #kept = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** No more frames are handed on, not even of the bytes being fed. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * True: nothing of the buffer is needed any more, so its memory may be used again.
   *
   * @throws LinkError when the bytes are no frames of this protocol.
   */
  feed(buffer: Buffer, start: number, end: number): boolean {
    let at = start;
    this.#kept = false;
    while (at < end && !this.#stopped) {
      if (this.#dataLeft > 0) {
        at = this.#continueData(buffer, at, end);
      } else if (this.#partialBytes > 0 || end - at < HEADER_BYTES) {
        at = this.#collect(buffer, at, end);
      } else {
        const length = this.#checkedLength(buffer, at);
        if (buffer[at] === DATA) {
          this.#beginData(buffer, at, length);
          at += HEADER_BYTES;
        } else if (end - at >= HEADER_BYTES + length) {
          this.#dispatch(buffer, at, length);
          at += HEADER_BYTES + length;
        } else {
          at = this.#collect(buffer, at, end);
        }
      }
    }
    return !this.#kept;
  }

  #beginData(header: Buffer, at: number, length: number): void {
    this.#dataFlags = header[at + 1]!;
    this.#dataId = streamId(header, at);
    this.#dataLeft = length;
  }

  #continueData(buffer: Buffer, at: number, end: number): number {
    const until = Math.min(end, at + this.#dataLeft);
    this.#dataLeft -= until - at;
    const flags = this.#dataLeft === 0 ? this.#dataFlags : 0;
    if (!this.#sink.onData(this.#dataId, flags, buffer, at, until)) this.#kept = true;
    return until;
  }

  /** Adds to the partial frame up to the end of its header, then up to its own end. */
  #collect(buffer: Buffer, at: number, end: number): number {
    const have = this.#partialBytes;
    const want = have < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + payloadLength(this.#partial, 0);
    const until = Math.min(end, at + want - have);
    buffer.copy(this.#partial, have, at, until);
    this.#partialBytes = have + until - at;
    if (this.#partialBytes < want) return until;

    const length = this.#checkedLength(this.#partial, 0);
    if (this.#partial[0] === DATA) {
      this.#partialBytes = 0;
      this.#beginData(this.#partial, 0, length);
    } else if (this.#partialBytes === HEADER_BYTES + length) {
      this.#partialBytes = 0;
      this.#dispatch(this.#partial, 0, length);
    }
    return until;
  }

  /** The payload's length, once the header is known to be a possible one. */
  #checkedLength(buffer: Buffer, at: number): number {
    const length = payloadLength(buffer, at);
    const type = buffer[at]!;
    if (type === DATA) {
      if (length === 0 || length > MAX_PAYLOAD_BYTES) throw malformed(`a DATA frame of ${length} bytes`);
      if ((buffer[at + 1]! & ~FLAG_RESPONSE_END) !== 0) throw malformed("unknown flags on a DATA frame");
      return length;
    }
    let possible: boolean;
    let flags = 0;
    switch (type) {
      case HELLO:
        possible = length >= HELLO_BYTES && length <= CONTROL_MAX_BYTES;
        break;
      case OPEN:
        possible = length >= OPEN_MIN_BYTES && length <= OPEN_MAX_BYTES;
        flags = FLAG_ENCRYPTED;
        break;
      case WINDOW:
        possible = length === WINDOW_BYTES;
        break;
      case FIN:
      case CLOSE:
        possible = length === 0;
        flags = FLAG_UNSEEN;
        break;
      case RESPONSE_END:
      case GOAWAY:
        possible = length === 0;
        break;
      default:
        throw malformed(`a frame of unknown type ${type}`);
    }
    if (!possible) throw malformed(`a frame of type ${type} with ${length} bytes`);
    if ((buffer[at + 1]! & ~flags) !== 0) throw malformed(`unknown flags on a frame of type ${type}`);
    if ((type === HELLO || type === GOAWAY) !== (streamId(buffer, at) === 0)) {
      throw malformed(`a frame of type ${type} on stream ${streamId(buffer, at)}`);
    }
    return length;
  }

  #dispatch(buffer: Buffer, at: number, length: number): void {
    const id = streamId(buffer, at);
    const payload = at + HEADER_BYTES;
    switch (buffer[at]) {
      case HELLO:
        this.#sink.onHello(readHello(buffer, payload));
        break;
      case OPEN:
        this.#sink.onOpen(id, {
          address: buffer.toString("latin1", payload + 2, payload + length),
          port: buffer.readUInt16BE(payload),
          encrypted: buffer[at + 1] === FLAG_ENCRYPTED,
        });
        break;
      case RESPONSE_END:
        this.#sink.onResponseEnd(id);
        break;
      case FIN:
        this.#sink.onFin(id, buffer[at + 1]!);
        break;
      case CLOSE:
        this.#sink.onClose(id, buffer[at + 1]!);
        break;
      case WINDOW:
        this.#sink.onWindow(id, buffer.readUInt32BE(payload));
        break;
      case GOAWAY:
        this.#sink.onGoaway();
        break;
    }
  }
}

function streamId(buffer: Buffer, at: number): number {
  return (buffer[at + 2]! << 16) | (buffer[at + 3]! << 8) | buffer[at + 4]!;
}

function payloadLength(buffer: Buffer, at: number): number {
  return (buffer[at + 5]! << 16) | (buffer[at + 6]! << 8) | buffer[at + 7]!;
}

function readHello(buffer: Buffer, at: number): Hello {
  if (buffer.readUInt32BE(at) !== MAGIC) throw malformed("a greeting without the link's magic number");
  const version = buffer.readUInt16BE(at + 4);
  if (version !== PROTOCOL_VERSION) {
    throw new LinkError(
      "LB_LINK_VERSION",
      `The peer speaks version ${version} of the link, this side version ${PROTOCOL_VERSION}: ` +
        "run one version of @lb/core in the primary and in the workers.",
    );
  }
  return {
    windowBytes: buffer.readUInt32BE(at + 8),
    maxStreams: buffer.readUInt32BE(at + 12),
  };
}

function malformed(what: string): LinkError {
  return new LinkError("LB_LINK_PROTOCOL", `The peer sent ${what}; the link is closed.`);
}
