import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { noteFault } from "../agent-faults.ts";
import { VirtualSocket } from "./virtual-socket.ts";

/** What Node publishes on its HTTP server ends. */
interface ServerMessage {
  readonly server: Server;
  readonly socket: Duplex;
  readonly response: ServerResponse;
}

let watchers = 0;

/**
 * Watches the responses on virtual sockets, by Node's diagnostics ends: unlike a `request` listener these also see
 * what is answered in `checkContinue` or `checkExpectation`, and no framework can remove them. Every call is undone by one
 * of {@link unwatchResponses}.
 */
export function watchResponses(): void {
  watchers++;
  if (watchers > 1) return;
  subscribe("http.server.request.start", requestStarted);
  subscribe("http.server.response.finish", responseFinished);
}

export function unwatchResponses(): void {
  watchers--;
  if (watchers > 0) return;
  unsubscribe("http.server.request.start", requestStarted);
  unsubscribe("http.server.response.finish", responseFinished);
}

/**
 * The front speaks for the client's connection, so Node need not write `Connection: keep-alive` and `Keep-Alive` for it to
 * strip. What the app sets itself still counts, `Connection: close` too. With `maxRequestsPerSocket` Node has to be able
 * to announce the last request.
 */
function requestStarted(message: unknown): void {
  const { server, socket, response } = message as ServerMessage;
  if (!(socket instanceof VirtualSocket)) return;
  // What a listener of a diagnostics channel throws ends the process.
  try {
    socket.responseStarted(response);
    if (!((server.maxRequestsPerSocket ?? 0) > 0)) response.removeHeader("connection");
  } catch (error) {
    noteFault("a response's beginning", error);
  }
}

/** Published when the last byte of the response has been taken by the socket. */
function responseFinished(message: unknown): void {
  const { socket, response } = message as ServerMessage;
  if (!(socket instanceof VirtualSocket)) return;
  try {
    socket.responseFinished(response);
  } catch (error) {
    noteFault("a response's end", error);
    socket.destroy();
  }
}
