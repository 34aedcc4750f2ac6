import type { Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** A connection as it is in practice: Node notes the response in progress on it, and sockets count their bytes. */
type Connection = Duplex & { readonly _httpMessage?: ServerResponse | null; readonly bytesRead?: number };

/** The connections of the app's server, wherever they come from, upgraded ones included. */
export class Connections {
  readonly #open = new Set<Connection>();

  constructor(server: Server) {
    server.on("connection", (connection: Connection) => {
      this.#open.add(connection);
      connection.once("close", () => this.#open.delete(connection));
    });
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Makes the responses in progress say that they are the last on their connection, where their head is not yet out.
   * (By a property of Node's that is not documented but as old as `http`; without it those connections would end a
   * little later, as idle ones, and a client could send into the gap.)
   */
  announceClose(): void {
    for (const { _httpMessage: response } of this.#open) {
      if (response && !response.headersSent) response.setHeader("Connection", "close");
    }
  }

  /** Drops the connections on which nothing ever arrived: opened ahead of need, and idle to us but not to Node. */
  dropUnused(): void {
    for (const connection of this.#open) {
      if (connection.bytesRead === 0) connection.destroy();
    }
  }

  dropAll(): void {
    for (const connection of this.#open) connection.destroy();
  }
}
