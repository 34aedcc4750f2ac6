import { ReceiveWindow } from "./receive-window.ts";

/** What streams may have waiting to be read, in windows of the connection, before it is given no more. */
const heldWindows = 4;

/**
 * What a client may send on all streams together. It is given back as it comes, so that a stream that waits holds up no other; but
 * not for ever: what many streams have waiting is bounded, too, by their deadlines if by nothing else.
 */
export class ConnectionWindow {
  readonly #window: ReceiveWindow;
  readonly #maxHeld: number;
  #held = 0;
  #owed = 0;

  constructor(bytes: number) {
    this.#window = new ReceiveWindow(bytes);
    this.#maxHeld = bytes * heldWindows;
  }

  /** The client sends so much. False: more than it may. */
  take(bytes: number): boolean {
    return this.#window.take(bytes);
  }

  /** So much has come. Answers what the window is to be opened by now, or 0. */
  came(bytes: number): number {
    this.#owed += bytes;
    return this.#giveBack();
  }

  /** So much more waits in a stream, or less. Answers the same. */
  held(bytes: number): number {
    this.#held += bytes;
    return bytes < 0 ? this.#giveBack() : 0;
  }

  #giveBack(): number {
    if (this.#held > this.#maxHeld) return 0;
    const opened = this.#window.read(this.#owed);
    this.#owed = 0;
    return opened;
  }
}
