import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { LoadReport } from "../ipc/handoff-messages.ts";
import type { Clock } from "../model/clock.ts";
import { type HandedConnection, handedConnection } from "./handoff-connection.ts";
import { isOwnAnswer } from "./own-answers.ts";

/** What Node publishes on its HTTP server channels. */
interface ServerMessage {
  readonly request: IncomingMessage;
  readonly server: Server;
  readonly socket: Socket;
  readonly response: ServerResponse;
}

export interface HandoffRequestsOptions {
  readonly server: Server;
  readonly clock: Clock;
  /** Response statuses that count as a failure of the instance. */
  readonly failureStatuses: ReadonlySet<number>;
  /** A request has been read; told before the app sees it. */
  readonly begun: (request: IncomingMessage, connection: HandedConnection) => void;
  /** Something is to be reported that was not when `take` was last called. */
  readonly changed: () => void;
  /** The connection has no request any more. */
  readonly idle: (connection: HandedConnection) => void;
}

/**
 * Counts and times the requests on handed-off connections; what comes to the instance's own port is not counted. By
 * Node's diagnostics channels: they also tell of requests answered in `checkContinue` or `checkExpectation`, no framework
 * can remove them, and they cost nothing per request but the call.
 */
export class HandoffRequests {
  readonly #options: HandoffRequestsOptions;
  readonly #open = new Set<HandedConnection>();
  #inFlight = 0;
  #succeeded = 0;
  #failedByStatus = 0;
  #reset = 0;
  #cancelled = 0;
  #latencySumMs = 0;
  #maxLatencyMs = 0;
  #relayed = 0;
  #watchesUpgrades = false;

  constructor(options: HandoffRequestsOptions) {
    this.#options = options;
    const { server } = options;
    subscribe("http.server.request.start", this.#started);
    subscribe("http.server.response.finish", this.#finished);
    server.on("newListener", this.#listenerComes);
    server.on("removeListener", this.#listenerWent);
    if (server.listenerCount("upgrade") > 0) this.#watchUpgrades();
  }

  /** The handed-off connections that are open. */
  get connections(): ReadonlySet<HandedConnection> {
    return this.#open;
  }

  add(connection: HandedConnection): void {
    this.#open.add(connection);
    connection.socket.once("close", () => this.#closed(connection));
    this.#options.changed();
  }

  /** What there is to report, and begins anew. */
  take(): Omit<LoadReport, "loopLagMs"> {
    if (this.#inFlight > 0) this.#noticeHeads();
    const report = {
      inFlight: this.#inFlight,
      succeeded: this.#succeeded,
      failedByStatus: this.#failedByStatus,
      reset: this.#reset,
      cancelled: this.#cancelled,
      meanLatencyMs: this.#succeeded === 0 ? 0 : this.#latencySumMs / this.#succeeded,
      maxLatencyMs: this.#maxLatencyMs,
      connections: this.#open.size,
      relayed: this.#relayed,
    };
    this.#succeeded = 0;
    this.#failedByStatus = 0;
    this.#reset = 0;
    this.#cancelled = 0;
    this.#latencySumMs = 0;
    this.#maxLatencyMs = 0;
    this.#relayed = 0;
    return report;
  }

  /** A request went to the worker that it belongs to. */
  noteRelayed(): void {
    this.#relayed++;
    this.#options.changed();
  }

  stop(): void {
    const { server } = this.#options;
    unsubscribe("http.server.request.start", this.#started);
    unsubscribe("http.server.response.finish", this.#finished);
    server.off("newListener", this.#listenerComes);
    server.off("removeListener", this.#listenerWent);
    server.off("upgrade", this.#upgraded);
  }

  readonly #started = (message: unknown) => {
    const { request, socket, response } = message as ServerMessage;
    const connection = handedConnection(socket);
    if (connection === undefined) return;
    this.#options.begun(request, connection);
    this.#begin(connection, response);
  };

  readonly #finished = (message: unknown) => {
    const { socket, response } = message as ServerMessage;
    const connection = handedConnection(socket);
    if (connection === undefined || connection.active === 0) return;
    if (this.#options.failureStatuses.has(response.statusCode) && !isOwnAnswer(response)) this.#failedByStatus++;
    else this.#succeed(connection);
    this.#end(connection);
  };

  readonly #upgraded = (request: IncomingMessage) => {
    const connection = handedConnection(request.socket);
    if (connection === undefined) return;
    this.#options.begun(request, connection);
    this.#begin(connection, undefined);
  };

  #begin(connection: HandedConnection, response: ServerResponse | undefined): void {
    this.#inFlight++;
    connection.active++;
    connection.response = response;
    if (!connection.used) {
      connection.used = true;
      // What limited its idleness until now; a response may take longer.
      if (!connection.brought) connection.socket.setTimeout(this.#options.server.timeout);
    }
    if (connection.active === 1) {
      connection.startedAt = this.#options.clock.now();
      connection.latencyMs = undefined;
    }
    this.#options.changed();
  }

  #succeed(connection: HandedConnection): void {
    const latencyMs = connection.latencyMs ?? this.#options.clock.now() - connection.startedAt;
    this.#succeeded++;
    this.#latencySumMs += latencyMs;
    if (latencyMs > this.#maxLatencyMs) this.#maxLatencyMs = latencyMs;
  }

  #end(connection: HandedConnection): void {
    this.#inFlight--;
    connection.active--;
    if (connection.active === 0) {
      connection.response = undefined;
      this.#options.idle(connection);
    } else {
      // The next of a pipeline: its turn begins now.
      connection.startedAt = this.#options.clock.now();
      connection.latencyMs = undefined;
    }
    this.#options.changed();
  }

  /**
   * There is no event for a response's head, and the end of a stream of hours says nothing of the instance's speed: for
   * those that are in flight when a report is due it is looked up, the others take less than that to their end.
   */
  #noticeHeads(): void {
    const now = this.#options.clock.now();
    for (const connection of this.#open) {
      if (connection.active === 0 || connection.latencyMs !== undefined) continue;
      const { response, socket } = connection;
      const answered = response === undefined ? socket.bytesWritten > 0 : response.headersSent;
      if (answered) connection.latencyMs = now - connection.startedAt;
    }
  }

  #closed(connection: HandedConnection): void {
    this.#open.delete(connection);
    const { active, response, socket } = connection;
    if (active > 0) {
      this.#inFlight -= active;
      connection.active = 0;
      connection.response = undefined;
      // A tunnel ends in no other way.
      if (response === undefined) this.#succeed(connection);
      else if (socket.readableEnded || isClientError(socket.errored)) this.#cancelled += active;
      else this.#reset += active;
    }
    this.#options.changed();
  }

  // Node takes upgrades only while somebody listens for them, so our listener is there only while another one is.

  readonly #listenerComes = (name: string | symbol, listener: unknown) => {
    if (name === "upgrade" && listener !== this.#upgraded) this.#watchUpgrades();
  };

  readonly #listenerWent = (name: string | symbol, listener: unknown) => {
    if (name !== "upgrade") return;
    const { server } = this.#options;
    if (listener === this.#upgraded) this.#watchesUpgrades = false;
    else if (this.#watchesUpgrades && server.listenerCount("upgrade") === 1) server.off("upgrade", this.#upgraded);
  };

  #watchUpgrades(): void {
    if (this.#watchesUpgrades) return;
    this.#watchesUpgrades = true;
    this.#options.server.prependListener("upgrade", this.#upgraded);
  }
}

function isClientError(error: Error | null): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return code === "ECONNRESET" || code === "EPIPE";
}
