import { GatheredFrames } from "./gathered-frames.ts";

/** The part of `net.Socket` that is written to. */
export interface OutputSocket {
  readonly writableLength: number;
  readonly writable: boolean;
  cork(): void;
  uncork(): void;
  write(bytes: Buffer): boolean;
}

/**
 * Writes all frames of one turn together, in `setImmediate`: after every socket that was readable in this turn has been
 * served. Without a socket they wait for one.
 */
export class BatchedOutput {
  readonly batch = new GatheredFrames();
  #socket: OutputSocket | undefined;
  #awaiting = false;

  /** Where frames go from now on; those that wait go first. */
  attach(socket: OutputSocket): void {
    this.#socket = socket;
    this.schedule();
  }

  /** Call it after a frame was put into the batch. */
  schedule(): void {
    if (this.#awaiting || this.#socket === undefined) return;
    this.#awaiting = true;
    setImmediate(this.#flush);
  }

  /** What the other side has not taken yet. */
  get queuedBytes(): number {
    return this.batch.bytes + (this.#socket?.writableLength ?? 0);
  }

  readonly #flush = () => {
    this.#awaiting = false;
    const socket = this.#socket;
    if (socket === undefined || !socket.writable || this.batch.bytes === 0) return;
    const pieces = this.batch.take();
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) socket.write(piece);
    if (pieces.length > 1) socket.uncork();
  };
}
