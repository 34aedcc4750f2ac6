import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Server as NetServer } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../model/clock.ts";
import { contained } from "./agent-faults.ts";
import type { Connections } from "./connections.ts";
import type { Intake } from "./intake.ts";

export interface Drain {
  readonly server: Server;
  readonly intake: Intake;
  readonly slotPort: { close(): void } | undefined;
  readonly connections: Connections;
  /** Until then requests of sessions that live here are taken; resolves within the grace. */
  readonly sessionsEnded: Promise<void>;
  /** After this, requests that are still in flight are cut and WebSockets ended. */
  readonly graceMs: number;
  readonly clock: Clock;
}

/** How often idle connections are looked for; they have no event. */
const pollMs = 50;
/** For what remains to be told to those whose time is up; what is still open after it is dropped. */
const goodbyeMs = 250;
/** How long a connection on which nothing was ever sent may still bring its first request. */
const unusedGraceMs = 1_000;

/** Takes nothing new, lets what is in flight finish, and resolves when no connection is left. */
export async function drain({
  server,
  intake,
  slotPort,
  connections,
  sessionsEnded,
  graceMs,
  clock,
}: Drain): Promise<void> {
  const startedAt = clock.now();
  const announced = contained("a request during the drain", (request: IncomingMessage, response: ServerResponse) => {
    if (!intake.movesAway(request.socket)) response.setHeader("Connection", "close");
  });
  server.prependListener("request", announced);
  connections.announceClose((connection) => intake.movesAway(connection));
  // What the front sent before it stopped routing here is in the kernel by now, but perhaps not yet read: closing at
  // once would reset it. A whole turn of the loop accepts and reads it.
  await nextTurn();
  await nextTurn();
  slotPort?.close();
  let closed = !server.listening;
  // As `net` closes it: an HTTP server would close its idle connections with it, which may be about to move.
  if (!closed) {
    NetServer.prototype.close.call(server, () => {
      closed = true;
    });
  }
  await sessionsEnded;
  intake.close();
  for (;;) {
    if (!intake.moving) server.closeIdleConnections();
    const elapsedMs = clock.now() - startedAt;
    if (elapsedMs >= unusedGraceMs) connections.dropUnused((connection) => intake.movesAway(connection));
    if (elapsedMs >= graceMs) {
      server.closeAllConnections();
      connections.endWebSockets();
      if (elapsedMs >= graceMs + goodbyeMs) connections.dropAll();
    }
    // `closed` comes a turn after the last connection, and the app may have something to do there.
    if (connections.size === 0 && (closed || elapsedMs >= graceMs)) return;
    await new Promise<void>((resolve) => clock.after(pollMs, resolve, { keepAlive: true }));
  }
}
