import { subscribe } from "node:diagnostics_channel";
import type { Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { emptyAcceptQueue } from "../model/accept-queue.ts";
import type { Clock } from "../model/clock.ts";
import { idleGraceMs } from "../model/idle-grace.ts";
import { contained } from "./agent-faults.ts";
import type { Connections } from "./connections.ts";
import type { Intake } from "./intake.ts";

export interface DrainParts {
  readonly server: Server;
  readonly intake: Intake;
  readonly ownPorts: { close(): void };
  readonly connections: Connections;
  readonly clock: Clock;
}

export interface DrainOrder {
  /** Until then requests of sessions that live here are taken; resolves within the grace. */
  readonly sessionsEnded: Promise<void>;
  /** After this, requests that are still in flight are cut and WebSockets ended. */
  readonly graceMs: number;
}

/** What Node publishes on its HTTP server channels. */
interface ServerMessage {
  readonly server: Server;
  readonly socket: Duplex;
  readonly response: ServerResponse;
}

/** How often idle connections are looked for; they have no event. */
const pollMs = 50;
/** For what remains to be told to those whose time is up; what is still open after it is dropped. */
const goodbyeMs = 250;

/**
 * Whose next answer is the last on its connection: of none, of those that came from the front and stay here, or of all
 * that do not move away.
 */
type LastAnswers = "none" | "staying" | "all";

/** How the connections of an instance end: with an answer that says so, or idle. */
export class Drain {
  readonly #parts: DrainParts;
  #lastAnswers: LastAnswers = "none";

  constructor(parts: DrainParts) {
    this.#parts = parts;
  }

  /**
   * All instances are about to end, so that nobody takes connections over. Those to this instance's own port are told
   * when that is closed: until then they would only come anew.
   */
  announceEnd(): void {
    this.#parts.intake.stay();
    if (this.#lastAnswers === "none") this.#beginLastAnswers("staying");
  }

  /** Takes nothing new, lets what is in flight finish, and resolves when no connection is left. */
  async run({ sessionsEnded, graceMs }: DrainOrder): Promise<void> {
    const { server, intake, ownPorts, connections, clock } = this.#parts;
    const startedAt = clock.now();
    // Whole turns of the loop, so that what the front sent before it stopped routing here is read, too.
    await emptyAcceptQueue(() => connections.seen);
    // The app's server itself listens where nobody connects. To close it is the app's affair, or comes last.
    ownPorts.close();
    this.#beginLastAnswers("all");
    await sessionsEnded;
    intake.close();
    for (;;) {
      const now = clock.now();
      connections.endIdle({ now, graceMs: idleGraceMs, except: this.#movesAway });
      if (now - startedAt >= graceMs) {
        // An HTTP/2 server has none; its connections are dropped with the others.
        server.closeAllConnections?.();
        connections.endWebSockets();
        if (now - startedAt >= graceMs + goodbyeMs) {
          intake.destroyArriving();
          connections.dropAll();
        }
      }
      if (connections.size === 0 && intake.arriving === 0) return;
      await new Promise<void>((resolve) => clock.after(pollMs, resolve, { keepAlive: true }));
      // What has arrived by then is read: whoever sent it is not idle.
      await nextTurn();
    }
  }

  /**
   * By Node's diagnostics channel, which also tells of requests that the app answers in `checkContinue`, or that are
   * answered before the app.
   */
  #beginLastAnswers(of: "staying" | "all"): void {
    const { server, connections, clock } = this.#parts;
    if (this.#lastAnswers === "none") {
      const begun = contained("a request during the drain", (message: unknown) => {
        const { server: asked, socket, response } = message as ServerMessage;
        if (asked === server && !this.#goesOn(socket)) response.setHeader("Connection", "close");
      });
      subscribe("http.server.request.start", begun);
    }
    this.#lastAnswers = of;
    connections.announceClose(this.#goesOn);
    connections.endIdle({ now: clock.now(), graceMs: idleGraceMs, except: this.#movesAway });
  }

  readonly #movesAway = (connection: Duplex): boolean => this.#parts.intake.movesAway(connection);

  readonly #goesOn = (connection: Duplex): boolean => {
    const { intake } = this.#parts;
    return this.#lastAnswers === "all" ? intake.movesAway(connection) : !intake.stays(connection);
  };
}
