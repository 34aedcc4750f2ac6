import type { FloodGuard } from "./flood-guard.ts";
import type { FrameOutput } from "./frame-output.ts";
import { defaultFrameBytes, defaultWindow, maxWindow } from "./protocol.ts";

/** A stream that has bytes waiting, and room in its own window. */
export interface Sending {
  /** Sends one frame; false: it has no more to send for now. */
  sendFrame(): boolean;
}

/** What all streams of a connection may send together (RFC 9113 §6.9), and whose turn it is where several wait for it. */
export class SendWindow {
  readonly #output: FrameOutput;
  readonly #guard: FloodGuard;
  readonly #waiting = new Set<Sending>();
  #window = defaultWindow;

  constructor(output: FrameOutput, guard: FloodGuard) {
    this.#output = output;
    this.#guard = guard;
  }

  /** How long a frame may be now. */
  get frameBytes(): number {
    return this.#output.blocked ? 0 : Math.min(this.#window, defaultFrameBytes);
  }

  /** A frame of so many bytes goes. */
  taken(bytes: number): void {
    this.#window -= bytes;
    this.#guard.used(bytes);
  }

  /** False: the window would be larger than one can be. */
  opened(bytes: number): boolean {
    if (this.#window + bytes > maxWindow) return false;
    this.#window += bytes;
    this.run();
    return true;
  }

  /** It has bytes that did not go. */
  wait(stream: Sending): void {
    this.#waiting.add(stream);
  }

  leave(stream: Sending): void {
    this.#waiting.delete(stream);
  }

  /** A frame each, in turn, as long as there is room: a long response does not hold up others. */
  run(): void {
    for (const stream of this.#waiting) {
      if (this.frameBytes === 0) return;
      this.#waiting.delete(stream);
      // At the end of the line, which this loop comes to as well.
      if (stream.sendFrame()) this.#waiting.add(stream);
    }
  }
}
