import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { latencyBucket } from "../../facts/latency-histogram.ts";
import { type CountedRequest, RequestBook, type RequestCounts } from "../../facts/request-counts.ts";
import type { AnswerReason } from "../../http/answer-reason.ts";
import type { LoadReport } from "../../ipc/handoff-messages.ts";
import type { Clock } from "../../model/clock.ts";
import { firstErrorStatus, isServerError } from "../../model/failure-conditions.ts";
import { contain, noteFault } from "../agent-faults.ts";
import { AlongsideListener } from "../alongside-listener.ts";
import { relayedUpgrade } from "../upgrade-offers.ts";
import { type HandedConnection, handedConnection } from "./handed-connection.ts";
import { answererOf, isOwnAnswer, noteOwnAnswer, reasonOf } from "./own-answers.ts";
import { PipelineTurns } from "./pipeline-turns.ts";
import type { RequestLines } from "./request-lines.ts";
import type { ServerSpans } from "./server-spans.ts";
import { Settlement } from "./settlement.ts";

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
  /** Of the access log; undefined: there is none. */
  readonly lines: RequestLines | undefined;
  /** Undefined: none are made. */
  readonly spans: ServerSpans | undefined;
  /** A request has been read; told before the app sees it. */
  readonly begun: (
    request: IncomingMessage,
    connection: HandedConnection,
    response: ServerResponse | undefined,
  ) => void;
  /** Whether the answer to a request that has just begun is the last on its connection. */
  readonly isLast: (connection: HandedConnection) => boolean;
  /** Something is to be reported that was not when `take` was last called. */
  readonly changed: () => void;
  /** The connection has no request any more. */
  readonly idle: (connection: HandedConnection) => void;
  /** What was in flight when `settle` was called with this id has ended. */
  readonly settled: (id: number) => void;
}

/**
 * Counts and times the requests on handed-off connections; what comes to the instance's own port is not counted. By
 * Node's diagnostics channels: they also tell of requests answered in `checkContinue` or `checkExpectation`, no framework
 * can remove them, and they cost nothing per request but the call.
 */
export class HandoffRequests {
  readonly #options: HandoffRequestsOptions;
  readonly #open = new Set<HandedConnection>();
  readonly #turns: PipelineTurns;
  readonly #settlement: Settlement;
  #inFlight = 0;
  #succeeded = 0;
  readonly #errors = new Map<number, number>();
  #reset = 0;
  #cancelled = 0;
  #timed = 0;
  #latencySumMs = 0;
  #maxLatencyMs = 0;
  #relayed = 0;
  /** Open now. */
  #tunnels = 0;
  /** Since it was last taken; undefined: nothing has ended. */
  #counted: RequestBook | undefined;
  /** On which requests have ended since then, whose bytes are not in the book yet. */
  readonly #uncounted = new Set<HandedConnection>();
  readonly #upgrades: AlongsideListener<[IncomingMessage]>;
  readonly #clientErrors: AlongsideListener<[Error, Duplex]>;

  constructor(options: HandoffRequestsOptions) {
    this.#options = options;
    const { server } = options;
    this.#turns = new PipelineTurns(options.idle);
    this.#settlement = new Settlement(options.settled);
    subscribe("http.server.request.start", this.#started);
    subscribe("http.server.response.finish", this.#finished);
    server.on("dropRequest", this.#dropped);
    this.#upgrades = new AlongsideListener(server, "upgrade", this.#upgraded);
    server.on(relayedUpgrade, this.#upgraded);
    this.#clientErrors = new AlongsideListener(server, "clientError", this.#clientFailed);
  }

  /** The handed-off connections that are open. */
  get connections(): ReadonlySet<HandedConnection> {
    return this.#open;
  }

  add(connection: HandedConnection): void {
    this.#open.add(connection);
    const { socket } = connection;
    socket.once("close", () => contain("a handed-off connection's end", () => this.#closed(connection)));
    socket.prependListener("timeout", timedOut);
    this.#options.changed();
  }

  /** What the primary had read of it. */
  bring(connection: HandedConnection, bytes: Buffer): void {
    // Its socket has not read them.
    connection.countedIn -= bytes.length;
    this.#turns.bring(connection, bytes);
  }

  settle(id: number): void {
    this.#settlement.ask(id, this.#open);
  }

  /** What there is to report, and begins anew. */
  take(): Omit<LoadReport, "loopLagMs"> {
    const report = {
      inFlight: this.#inFlight,
      unanswered: this.#inFlight === 0 ? 0 : this.#unanswered(),
      succeeded: this.#succeeded,
      errors: [...this.#errors],
      reset: this.#reset,
      cancelled: this.#cancelled,
      meanLatencyMs: this.#timed === 0 ? 0 : this.#latencySumMs / this.#timed,
      maxLatencyMs: this.#maxLatencyMs,
      connections: this.#open.size,
      relayed: this.#relayed,
      tunnels: this.#tunnels,
    };
    this.#succeeded = 0;
    this.#errors.clear();
    this.#timed = 0;
    this.#reset = 0;
    this.#cancelled = 0;
    this.#latencySumMs = 0;
    this.#maxLatencyMs = 0;
    this.#relayed = 0;
    return report;
  }

  /** What has ended since this was last called, by the book; undefined: nothing. */
  takeCounts(): RequestCounts | undefined {
    for (const connection of this.#uncounted) {
      const { requestBytes, responseBytes } = takeBytes(connection);
      this.#book.moved(requestBytes, responseBytes);
    }
    this.#uncounted.clear();
    const counts = this.#counted?.counts;
    this.#counted = undefined;
    return counts;
  }

  /** A request went to the worker that it belongs to. */
  noteRelayed(): void {
    this.#relayed++;
    this.#options.changed();
  }

  stop(): void {
    unsubscribe("http.server.request.start", this.#started);
    unsubscribe("http.server.response.finish", this.#finished);
    this.#options.server.off("dropRequest", this.#dropped);
    this.#upgrades.stop();
    this.#options.server.off(relayedUpgrade, this.#upgraded);
    this.#clientErrors.stop();
  }

  // What a listener of a diagnostics channel throws ends the process.

  readonly #started = (message: unknown) => {
    const { request, socket, response } = message as ServerMessage;
    const connection = handedConnection(socket);
    if (connection === undefined) return;
    try {
      this.#options.begun(request, connection, response);
      this.#options.lines?.begin(request, connection);
      this.#options.spans?.begin(request, connection);
      if (this.#options.isLast(connection)) response.setHeader("Connection", "close");
      this.#begin(connection, response);
    } catch (error) {
      noteFault("a request's beginning", error);
      socket.destroy();
    }
  };

  readonly #finished = (message: unknown) => {
    const { request, socket, response } = message as ServerMessage;
    const connection = handedConnection(socket);
    if (connection === undefined || connection.active === 0) return;
    try {
      // What we answer ourselves says nothing of the app.
      if (isOwnAnswer(response)) this.#cancelled++;
      else this.#answered(connection, response.statusCode);
      this.#count(connection, request, {
        status: response.statusCode,
        answeredBy: answererOf(response),
        reason: reasonOf(response),
        end: "complete",
      });
      this.#end(connection);
    } catch (error) {
      noteFault("a response's end", error);
    }
  };

  readonly #upgraded = (request: IncomingMessage) => {
    const connection = handedConnection(request.socket);
    if (connection === undefined) return;
    try {
      this.#options.begun(request, connection, undefined);
      this.#options.lines?.begin(request, connection);
      this.#options.spans?.begin(request, connection);
      this.#begin(connection, undefined);
      this.#turns.upgraded(connection);
      this.#settlement.upgraded(connection);
      this.#tunnels++;
      this.#count(connection, request, { status: 101, answeredBy: "app", reason: undefined, end: "tunnel" });
    } catch (error) {
      noteFault("an upgrade's beginning", error);
      request.socket.destroy();
    }
  };

  /** Bytes that are no request, or a request that takes too long to come. */
  readonly #clientFailed = (_error: Error, socket: Duplex) => {
    const connection = handedConnection(socket);
    if (connection !== undefined) connection.clientFailed = true;
  };

  /** More requests than the app allows on one connection; Node answers 503 itself. */
  readonly #dropped = (_request: IncomingMessage, socket: Duplex) => {
    const response = handedConnection(socket)?.newest;
    if (response !== undefined) noteOwnAnswer(response, "requests-per-connection");
  };

  #begin(connection: HandedConnection, response: ServerResponse | undefined): void {
    this.#inFlight++;
    connection.begin(response);
    this.#turns.begun(connection);
    if (connection.active === 1) {
      connection.startedAt = this.#options.clock.now();
      connection.latencyMs = undefined;
    }
    this.#options.changed();
  }

  #answered(connection: HandedConnection, status: number): void {
    if (status < firstErrorStatus) this.#succeeded++;
    else this.#errors.set(status, (this.#errors.get(status) ?? 0) + 1);
    if (isServerError(status)) return;
    const latencyMs = connection.latencyMs ?? this.#options.clock.now() - connection.startedAt;
    this.#timed++;
    this.#latencySumMs += latencyMs;
    if (latencyMs > this.#maxLatencyMs) this.#maxLatencyMs = latencyMs;
  }

  #end(connection: HandedConnection): void {
    this.#inFlight--;
    connection.end();
    this.#turns.ended(connection);
    this.#settlement.ended(connection);
    if (connection.active > 0) {
      // The next of a pipeline: its turn begins now.
      connection.startedAt = this.#options.clock.now();
      connection.latencyMs = undefined;
    } else if (!connection.held) this.#options.idle(connection);
    this.#options.changed();
  }

  get #book(): RequestBook {
    this.#counted ??= new RequestBook();
    return this.#counted;
  }

  /** A request has ended, or a tunnel begun. */
  #count(
    connection: HandedConnection,
    request: IncomingMessage,
    {
      reason,
      ...ended
    }: Pick<CountedRequest, "status" | "answeredBy" | "end"> & {
      readonly reason: AnswerReason | undefined;
    },
  ): void {
    const isTunnel = ended.end === "tunnel";
    const endedMs = isTunnel ? undefined : this.#options.clock.now() - connection.startedAt;
    const respondedMs = ended.status === undefined ? undefined : (connection.latencyMs ?? endedMs);
    const { lines, spans } = this.#options;
    // Sockets make a list of what waits in them each time that they are asked: ten times a second, if nobody wants each request's own.
    if (lines === undefined) this.#uncounted.add(connection);
    const bytes = lines === undefined ? noBytes : takeBytes(connection);
    const counted = {
      ...ended,
      ...bytes,
      attempts: 1,
      queuedMs: 0,
      respondedMs,
      endedMs,
    };
    this.#book.note(counted, latencyBucket(respondedMs ?? 0), latencyBucket(endedMs ?? 0));
    lines?.ended(request, connection, counted, reason);
    spans?.ended(request, connection, counted);
  }

  /** Those that were open on a connection that has closed. */
  #countClosed(connection: HandedConnection): void {
    const { behind, response } = connection;
    if (response === undefined) {
      this.#uncounted.add(connection);
      return;
    }
    const begun = response.headersSent;
    this.#count(connection, response.req, {
      status: begun ? response.statusCode : undefined,
      answeredBy: begun ? answererOf(response) : "nobody",
      reason: begun ? reasonOf(response) : undefined,
      end: isBrokenOff(connection, response) ? "cut" : "client-left",
    });
    for (const { req } of behind) {
      this.#count(connection, req, { status: undefined, answeredBy: "nobody", reason: undefined, end: "client-left" });
    }
  }

  /**
   * How many responses have not begun. There is no event for a response's head, and the end of a stream of hours says
   * nothing of the instance's speed: for those that are in flight when a report is due it is looked up, the others take less
   * than that to their end.
   */
  #unanswered(): number {
    const now = this.#options.clock.now();
    let unanswered = 0;
    for (const connection of this.#open) {
      if (connection.active === 0) continue;
      const { response, socket } = connection;
      const answered = response === undefined ? socket.bytesWritten > 0 : response.headersSent;
      if (answered) connection.latencyMs ??= now - connection.startedAt;
      unanswered += answered ? connection.active - 1 : connection.active;
    }
    return unanswered;
  }

  #closed(connection: HandedConnection): void {
    this.#open.delete(connection);
    const { active, response } = connection;
    if (active > 0) {
      this.#inFlight -= active;
      // A tunnel ends in no other way.
      if (response === undefined) {
        this.#tunnels--;
        this.#answered(connection, 101);
      } else if (isBrokenOff(connection, response)) {
        // Those behind it had not had their turn: one who sends a thousand at once makes one failure of it.
        this.#reset++;
        this.#cancelled += active - 1;
      } else this.#cancelled += active;
      this.#countClosed(connection);
    }
    connection.closed();
    this.#turns.closed(connection);
    this.#settlement.closed(connection);
    this.#options.changed();
  }
}

const noBytes = { requestBytes: 0, responseBytes: 0 };

/** What has come and gone on it since this was last asked. */
function takeBytes(connection: HandedConnection): typeof noBytes {
  const { bytesRead, bytesWritten } = connection.socket;
  const bytes = { requestBytes: bytesRead - connection.countedIn, responseBytes: bytesWritten - connection.countedOut };
  connection.countedIn = bytesRead;
  connection.countedOut = bytesWritten;
  return bytes;
}

/**
 * Whether it was the app that broke the connection off in the middle of this response. What a client can bring about by
 * anything that it sends, or does not send or read, is not: it would be a way to have instances taken for broken.
 */
function isBrokenOff({ socket, clientFailed, answered }: HandedConnection, response: ServerResponse): boolean {
  if (socket.readableEnded || clientFailed || isOwnAnswer(response)) return false;
  if (!response.req.complete) return false;
  // It was closed in good order behind an earlier response, and the client had sent more by then.
  if (socket.writableEnded && answered) return false;
  return !isOfClient(socket.errored);
}

/** The kernel's word on the connection, or Node's or OpenSSL's on what came over it. */
function isOfClient(error: Error | null): boolean {
  const { code, syscall } = (error ?? {}) as { readonly code?: unknown; readonly syscall?: unknown };
  return (
    typeof syscall === "string" || (typeof code === "string" && /^(HPE_|ERR_SSL_|ERR_HTTP_REQUEST_TIMEOUT$)/.test(code))
  );
}

/** Before Node destroys it for that: was it the client that read nothing? */
function timedOut(this: Socket): void {
  const connection = handedConnection(this);
  if (connection?.response !== undefined && this.writableLength > 0) connection.clientFailed = true;
}
