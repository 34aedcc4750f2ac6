/** Messages of more bytes are counted and not kept. */
const maxMessageBytes = 1_000_000;

export interface FrameObserver {
  /** `data` is undefined for what is too long to be kept. */
  message(message: { readonly isBinary: boolean; readonly bytes: number; readonly data: Buffer | undefined }): void;
  /** The first close frame. 1005: it has no code. */
  closed(code: number, reason: string): void;
}

interface Frame {
  readonly isFinal: boolean;
  readonly opcode: number;
  readonly mask: Buffer | undefined;
  readonly length: number;
}

const opcodes = { continuation: 0, binary: 2, close: 8 } as const;

/**
 * Reads one direction of a WebSocket along (RFC 6455 §5), and changes nothing. What is no frame ends the reading, not the
 * WebSocket: that is for the two that speak it.
 */
export class FrameReader {
  readonly #observer: FrameObserver;
  #head: Buffer = nothing;
  /** The frame whose payload comes. */
  #frame: Frame | undefined;
  #payload: Buffer[] = [];
  #received = 0;
  /** The message that its frames are of. */
  #parts: Buffer[] = [];
  #messageBytes = 0;
  #isBinary = false;
  #isOver = false;

  constructor(observer: FrameObserver) {
    this.#observer = observer;
  }

  read(bytes: Buffer): void {
    let rest = bytes;
    while (!this.#isOver) {
      if (this.#frame === undefined) {
        const begun = this.#readHead(rest);
        if (begun === undefined) return;
        rest = begun;
      }
      const { length } = this.#frame!;
      const piece = rest.subarray(0, length - this.#received);
      rest = rest.subarray(piece.length);
      this.#take(piece);
      if (this.#received < length) return;
      this.#endFrame();
    }
  }

  /** What comes behind a head that is whole now; undefined: it is not yet. */
  #readHead(bytes: Buffer): Buffer | undefined {
    const head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes]);
    const size = headSize(head);
    if (size === undefined || head.length < size) {
      this.#head = Buffer.from(head);
      return undefined;
    }
    this.#head = nothing;
    const [first, second] = [head[0]!, head[1]!];
    const isMasked = (second & 0x80) !== 0;
    this.#frame = {
      isFinal: (first & 0x80) !== 0,
      opcode: first & 0x0f,
      mask: isMasked ? Buffer.from(head.subarray(size - 4, size)) : undefined,
      length: lengthIn(head),
    };
    this.#received = 0;
    return head.subarray(size);
  }

  #take(piece: Buffer): void {
    const { mask, opcode } = this.#frame!;
    // Control frames have at most 125 bytes.
    const isKept =
      opcode >= opcodes.close ? this.#received < 125 : this.#messageBytes + this.#received <= maxMessageBytes;
    if (piece.length > 0 && isKept) {
      this.#payload.push(mask === undefined ? Buffer.from(piece) : unmasked(piece, mask, this.#received));
    }
    this.#received += piece.length;
  }

  #endFrame(): void {
    const { isFinal, opcode } = this.#frame!;
    const payload = this.#payload;
    this.#frame = undefined;
    this.#payload = [];
    if (opcode === opcodes.close) this.#close(Buffer.concat(payload));
    if (opcode >= opcodes.close) return;
    if (opcode !== opcodes.continuation) this.#isBinary = opcode === opcodes.binary;
    this.#messageBytes += this.#received;
    if (this.#messageBytes <= maxMessageBytes) this.#parts.push(...payload);
    else this.#parts = [];
    if (isFinal) this.#endMessage();
  }

  #endMessage(): void {
    const [parts, bytes] = [this.#parts, this.#messageBytes];
    this.#parts = [];
    this.#messageBytes = 0;
    const data = bytes <= maxMessageBytes ? Buffer.concat(parts) : undefined;
    this.#observer.message({ isBinary: this.#isBinary, bytes, data });
  }

  #close(payload: Buffer): void {
    this.#isOver = true;
    const code = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    this.#observer.closed(code, payload.toString("utf8", 2));
  }
}

const nothing = Buffer.alloc(0);

/** How many bytes a head has, its mask among them; undefined: too few came to tell. */
function headSize(head: Buffer): number | undefined {
  if (head.length < 2) return undefined;
  const length = head[1]! & 0x7f;
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + ((head[1]! & 0x80) !== 0 ? 4 : 0);
}

function lengthIn(head: Buffer): number {
  const length = head[1]! & 0x7f;
  if (length < 126) return length;
  return length === 126 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2));
}

function unmasked(piece: Buffer, mask: Buffer, offset: number): Buffer {
  const clear = Buffer.allocUnsafe(piece.length);
  for (let at = 0; at < piece.length; at++) clear[at] = piece[at]! ^ mask[(offset + at) & 3]!;
  return clear;
}
