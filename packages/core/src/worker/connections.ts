import type { Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { contain, contained, runApp } from "./agent-faults.ts";
import { connectionEvent } from "./listen/server-protocol.ts";
import { observeUpgrades } from "./upgrade-offers.ts";

/** A connection as it is in practice: Node notes the response in progress on it, and sockets count their bytes. */
type Connection = Duplex & {
  readonly _httpMessage?: ServerResponse | null;
  readonly bytesRead?: number;
  /** None once it is a tunnel, whoever has taken it. */
  readonly parser?: unknown;
  /** What accepted it, if it was accepted. */
  readonly _server?: unknown;
};

/** What a connection that nothing happens on looked like, and since when. */
interface Rest {
  readonly bytesRead: number | undefined;
  readonly since: number;
}

/** Which idle connections are ended: all that have been so for `graceMs`, but for some. */
export interface IdleEnd {
  readonly now: number;
  readonly graceMs: number;
  readonly except: (connection: Duplex) => boolean;
}

/** RFC 6455, 5.5.1: an unmasked close frame with the status code 1012, "service restart". */
const serviceRestart = Buffer.from([0x88, 0x02, 1012 >> 8, 1012 & 0xff]);

/** A server as `net` keeps it: closed when it does not listen and counts no connection. */
type CountingServer = Server & { _connections: number; _emitCloseIfDrained?: () => void };

/**
 * The connections of the app's server, wherever they come from, upgraded ones included.
 *
 * Those that were not accepted by it, but came over the front's link or from another process, are also entered in the server's own count. Otherwise `server.close(callback)` and
 * the event `close` would come while requests are still being answered, and that is where apps end their database pool,
 * or their process. (By properties of `net.Server` that are not documented, but as old as it is.)
 */
export class Connections {
  readonly #open = new Set<Connection>();
  #seen = 0;
  readonly #webSockets = new Set<Duplex>();
  readonly #rests = new WeakMap<Connection, Rest>();

  constructor(server: Server) {
    const counting = server as CountingServer;
    const arrived = contained("a new connection", (connection: Connection) => {
      this.#seen++;
      this.#open.add(connection);
      if (connection._server === server) {
        connection.once("close", () => this.#open.delete(connection));
        return;
      }
      counting._connections += 1;
      const leave = () => {
        this.#open.delete(connection);
        counting._connections -= 1;
        // The app's listeners of its server's `close` may be called in it.
        runApp(() => counting._emitCloseIfDrained?.());
      };
      // A link sends at the end of the turn: what was last written is on its way only after that.
      connection.once("close", () => setImmediate(leave));
    });
    server.on(connectionEvent(server), arrived);
    observeUpgrades(server, ({ headers }, socket) => {
      if (headers.upgrade?.toLowerCase() !== "websocket") return;
      this.#webSockets.add(socket);
      socket.once("close", () => this.#webSockets.delete(socket));
    });
  }

  /** How many there have been. */
  get seen(): number {
    return this.#seen;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Makes the responses in progress say that they are the last on their connection, where their head is not yet out.
   * (By a property of Node's that is not documented but as old as `http`; without it those connections would end a
   * little later, as idle ones, and a client could send into the gap.)
   */
  announceClose(except: (connection: Duplex) => boolean): void {
    for (const connection of this.#open) {
      contain("announcing the end of a connection", () => {
        const { _httpMessage: response } = connection;
        if (response && !response.headersSent && !except(connection)) response.setHeader("Connection", "close");
      });
    }
  }

  /**
   * Ends connections on which nothing has happened for a while, used or not: there is neither an answer in progress, nor
   * has anything arrived since they were looked at a grace ago, or more. (`server.closeIdleConnections()` asks for no
   * time, and leaves those alone on which nothing ever arrived.) Tunnels are not idle.
   */
  endIdle({ now, graceMs, except }: IdleEnd): void {
    for (const connection of this.#open) {
      contain("looking for idle connections", () => {
        const { _httpMessage: response, bytesRead, parser } = connection;
        if (!parser || except(connection)) return;
        const rest = this.#rests.get(connection);
        if (response || rest === undefined || rest.bytesRead !== bytesRead) {
          this.#rests.set(connection, { bytesRead, since: now });
        } else if (now - rest.since >= graceMs) connection.destroy();
      });
    }
  }

  /**
   * Ends the WebSockets with a close frame, so that clients know to connect anew. Those who write frames do so whole, so
   * between two turns of the event loop nobody is in the middle of one.
   */
  endWebSockets(): void {
    for (const socket of this.#webSockets) {
      if (!socket.writableEnded) contain("ending a WebSocket", () => void socket.end(serviceRestart));
    }
  }

  dropAll(): void {
    for (const connection of this.#open) contain("dropping a connection", () => void connection.destroy());
  }
}
