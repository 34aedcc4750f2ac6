import type { HandshakeFailure } from "../model/handshake-failure.ts";

export type ConnectionRefusalReason = "connections" | "connections-per-address" | "descriptors" | "denied";

/** What came in at one of the public listeners. Plain JSON; but for `open`, never goes back. */
export interface ListenerCounts {
  /** Connections that were accepted and not refused. */
  readonly accepted: number;
  /** Of them, those that are open now, and in hand-off mode not at an instance yet. */
  readonly open: number;
  readonly refused: Readonly<Record<ConnectionRefusalReason, number>>;
  readonly handshakes: HandshakeCounts;
  readonly requests: number;
  /** What came in place of requests and is none: answered with 400 and the like, and in no count of requests. */
  readonly badHeads: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface HandshakeCounts {
  readonly full: number;
  /** Those that went on with an earlier session. */
  readonly resumed: number;
  readonly failed: Readonly<Partial<Record<HandshakeFailure, number>>>;
}

/** Counts what comes in at one listener. */
export class ListenerBook {
  #accepted = 0;
  #open = 0;
  readonly #refused = { connections: 0, "connections-per-address": 0, descriptors: 0, denied: 0 };
  readonly #handshakes = { full: 0, resumed: 0 };
  readonly #failed: Partial<Record<HandshakeFailure, number>> = {};
  #requests = 0;
  #badHeads = 0;
  #bytesIn = 0;
  #bytesOut = 0;

  /** `returned`: it was counted before, and has been with an instance. */
  opened(returned: boolean): void {
    if (!returned) this.#accepted += 1;
    this.#open += 1;
  }

  closed(): void {
    this.#open -= 1;
  }

  refused(reason: ConnectionRefusalReason): void {
    this.#refused[reason] += 1;
  }

  handshakes(kind: "full" | "resumed", count: number): void {
    this.#handshakes[kind] += count;
  }

  handshakesFailed(reason: HandshakeFailure, count: number): void {
    this.#failed[reason] = (this.#failed[reason] ?? 0) + count;
  }

  headRefused(): void {
    this.#badHeads += 1;
  }

  request(bytesIn: number, bytesOut: number): void {
    this.#requests += 1;
    this.moved(bytesIn, bytesOut);
  }

  moved(bytesIn: number, bytesOut: number): void {
    this.#bytesIn += bytesIn;
    this.#bytesOut += bytesOut;
  }

  get open(): number {
    return this.#open;
  }

  get counts(): ListenerCounts {
    return {
      accepted: this.#accepted,
      open: this.#open,
      refused: { ...this.#refused },
      handshakes: { ...this.#handshakes, failed: { ...this.#failed } },
      requests: this.#requests,
      badHeads: this.#badHeads,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
    };
  }
}
