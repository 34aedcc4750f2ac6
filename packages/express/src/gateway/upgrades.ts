import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { GatewayError } from "../errors.ts";
import { asksForWebSocket } from "./web-socket.ts";

/** A connection that asks to speak another protocol; Node has stopped reading HTTP from it. */
export interface Upgrade {
  readonly socket: Duplex;
  /** Bytes that came behind the request. */
  readonly head: Buffer;
}

interface Offer extends Upgrade {
  readonly response: ServerResponse;
}

/** Node asks it (from 22.21 and 24.9 on) whether an offer is the `upgrade` listeners'; by default, whether there are any. */
type UpgradingServer = Server & { shouldUpgradeCallback?: (this: Server, request: IncomingMessage) => boolean };

/** One for every copy of this library in the process, the ESM and the CommonJS one for a start. */
const key = Symbol.for("@lb/express.upgrades");
const shared = globalThis as {
  [key]?: { readonly offers: WeakMap<IncomingMessage, Offer>; readonly served: WeakSet<Server> };
};
shared[key] ??= { offers: new WeakMap(), served: new WeakSet() };
const { offers, served } = shared[key];

/** Whether the server's requests for upgrades go through its app already. */
export function servesUpgrades(server: Server): boolean {
  return served.has(server);
}

/**
 * From now on requests for an upgrade go through the server's app like all others: its middleware and hooks have their
 * word, and a balancer that they reach opens a tunnel. What the app answers itself is sent, and the connection closed.
 */
export function serveUpgrades(server: Server): void {
  if (served.has(server)) return;
  served.add(server);
  server.on("upgrade", (request, socket, head) => offer(server, request, socket, head));
  const upgrading = server as UpgradingServer;
  const { shouldUpgradeCallback: takes } = upgrading;
  if (typeof takes !== "function") return;
  // What offers another protocol, as Java's clients do with each request, is an ordinary one, its body included.
  upgrading.shouldUpgradeCallback = function (request) {
    return (asksForWebSocket(request) || this.listenerCount("upgrade") > 1) && takes.call(this, request);
  };
}

function offer(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  socket.on("error", () => socket.destroy());
  response.once("finish", () => {
    if (response.socket === null) return;
    response.detachSocket(response.socket);
    closeAfterWriting(socket);
    // As Node has it for the responses that it makes itself.
    process.nextTick(() => {
      response.destroyed = true;
      response.emit("close");
    });
  });
  offers.set(request, { socket, head, response });
  // Another listener may serve this request, Socket.IO's for a start: then the app is heard only if it means a balancer.
  if (server.listenerCount("upgrade") === 1) response.assignSocket(socket as Socket);
  server.emit("request", request, response);
}

/** What closes when all is over: the response, or the connection of a request for an upgrade. */
export function connectionOf(request: IncomingMessage, response: ServerResponse): ServerResponse | Duplex {
  return offers.get(request)?.socket ?? response;
}

/**
 * The connection of a request for an upgrade; undefined for an ordinary request.
 *
 * @throws GatewayError `LB_REQUEST_INVALID` for one with a body, or with the next request attached
 */
export function takeUpgrade(request: IncomingMessage): Upgrade | undefined {
  const found = offers.get(request);
  if (found === undefined) return undefined;
  const { socket, response, head } = found;
  if (response.socket === null) response.assignSocket(socket as Socket);
  const length = request.headers["content-length"];
  if (
    head.length > 0 ||
    request.headers["transfer-encoding"] !== undefined ||
    (length !== undefined && length !== "0")
  ) {
    throw new GatewayError("LB_REQUEST_INVALID", "A request for an upgrade has a body, or another request attached");
  }
  return found;
}

/** Ends what was not ended, and does not wait for the other side to do the same. */
export function closeAfterWriting(socket: Duplex): void {
  if ("destroySoon" in socket && typeof socket.destroySoon === "function") socket.destroySoon();
  else socket.end(() => socket.destroy());
}
