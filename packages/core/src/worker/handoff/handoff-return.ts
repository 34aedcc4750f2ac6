import type { Socket } from "node:net";
import type { Clock, Timer } from "../../model/clock.ts";
import { contained } from "../agent-faults.ts";
import { returnConnection, whyNotReturnable } from "./connection-return.ts";
import type { HandedConnection } from "./handed-connection.ts";

export interface HandoffReturnOptions {
  readonly clock: Clock;
  readonly connections: ReadonlySet<HandedConnection>;
  /** Sends the socket to the primary. */
  readonly send: (socket: Socket) => void;
  /** Node would not send it at once, as it waits for the receipt of the one before. */
  readonly wouldQueue: () => boolean;
  /** Told once, with the reason. */
  readonly impossible: (detail: string) => void;
}

/** After so long, in milliseconds, connections are looked at again that had no request, but bytes not yet sent. */
const retryMs = 50;
/** An answer that takes longer, in milliseconds, does not come: the primary had no descriptor left for the connection. */
const takenMs = 1_000;

/**
 * Gives connections back to the primary, one at a time: the next when the last has arrived there. A connection that waits
 * for its turn is in full use meanwhile; Node's own queue would hold it half taken apart.
 */
export class HandoffReturn {
  readonly #options: HandoffReturnOptions;
  /** Who may be asked next; among them may be such that are busy or closed by now. */
  #candidates: HandedConnection[] = [];
  #wanted = 0;
  /** While one is on its way. */
  #awaitsTaken: Timer | undefined;
  #ability: "unknown" | "able" | "unable" = "unknown";
  #retry: Timer | undefined;

  constructor(options: HandoffReturnOptions) {
    this.#options = options;
  }

  /** As many idle connections as there are, up to `most`; `"all"`: also those that become idle later, until 0 is asked for. */
  request(most: number | "all"): void {
    if (!this.#isAble()) return;
    if (most === 0) {
      this.#wanted = 0;
      this.#candidates = [];
      return;
    }
    this.#wanted = most === "all" ? Number.POSITIVE_INFINITY : Math.max(this.#wanted, most);
    this.#candidates = [...this.#options.connections];
    this.#next();
  }

  /** False: this Node has shown that it cannot. */
  get able(): boolean {
    return this.#isAble();
  }

  /** This one, once it is idle: it would be better off elsewhere. */
  requestOne(connection: HandedConnection): void {
    if (this.#wanted === Number.POSITIVE_INFINITY || !this.#isAble()) return;
    this.#wanted++;
    this.#candidates.push(connection);
    setImmediate(this.#nextSoon);
  }

  /** The primary has the last one. */
  taken(): void {
    this.#awaitsTaken?.cancel();
    this.#awaitsTaken = undefined;
    this.#next();
  }

  /** Has no request any more, in this turn of the event loop: Node may still have to tidy up after the response. */
  idle(connection: HandedConnection): void {
    if (this.#wanted !== Number.POSITIVE_INFINITY) return;
    this.#candidates.push(connection);
    if (this.#candidates.length === 1) setImmediate(this.#nextSoon);
  }

  stop(): void {
    this.#wanted = 0;
    this.#candidates = [];
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#awaitsTaken?.cancel();
    this.#awaitsTaken = undefined;
  }

  readonly #nextSoon = contained("giving a connection back", () => this.#next());
  /** The answer may be there and not read yet, where it was this process that paused: timers come before what has arrived. */
  readonly #overdue = contained("a connection that was given back", () => {
    const awaited = this.#awaitsTaken;
    const judge = () => {
      if (this.#awaitsTaken !== awaited) return;
      if (this.#options.wouldQueue()) this.#awaitTaken();
      else this.taken();
    };
    setImmediate(contained("a connection that was given back", judge));
  });
  readonly #retryDue = contained("giving connections back", () => {
    this.#retry = undefined;
    this.#next();
  });

  #next(): void {
    if (this.#awaitsTaken !== undefined) return;
    // What is taken may be one that was given up for overdue: the primary's word waits in its own queue, behind a connection that this process
    // has to take first. And the app may send handles as well.
    if (this.#wanted > 0 && this.#options.wouldQueue()) {
      this.#awaitTaken();
      return;
    }
    const unfinished: HandedConnection[] = [];
    while (this.#wanted > 0) {
      const connection = this.#candidates.pop();
      if (connection === undefined) break;
      const { active, held, secure, socket } = connection;
      // What was agreed on in a handshake is known here alone.
      if (active > 0 || held || secure !== undefined || socket.destroyed) continue;
      const result = returnConnection(socket, this.#options.send);
      if (result === "returned") {
        this.#wanted--;
        this.#awaitTaken();
        break;
      }
      if (result === "busy") unfinished.push(connection);
      else this.#disable("Its sockets or HTTP parsers have no longer what is needed.");
    }
    if (this.#wanted === Number.POSITIVE_INFINITY) this.#tryAgain(unfinished);
    else if (this.#candidates.length === 0) this.#wanted = 0;
  }

  #awaitTaken(): void {
    this.#awaitsTaken = this.#options.clock.after(takenMs, this.#overdue);
  }

  /** Those that are left of an order for all: their response may still be on its way out. */
  #tryAgain(unfinished: readonly HandedConnection[]): void {
    if (unfinished.length === 0) return;
    this.#candidates.unshift(...unfinished);
    if (this.#awaitsTaken !== undefined || this.#retry !== undefined) return;
    this.#retry = this.#options.clock.after(retryMs, this.#retryDue);
  }

  #isAble(): boolean {
    if (this.#ability === "unknown") {
      const reason = whyNotReturnable();
      if (reason === undefined) this.#ability = "able";
      else this.#disable(reason);
    }
    return this.#ability === "able";
  }

  #disable(reason: string): void {
    this.stop();
    if (this.#ability === "unable") return;
    this.#ability = "unable";
    this.#options.impossible(`Node ${process.version} cannot give connections back: ${reason}`);
  }
}
