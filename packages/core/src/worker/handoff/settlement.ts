import type { HandedConnection } from "./handed-connection.ts";

/**
 * Tells the primary when those requests have ended that were in flight when it asked. Each connection knows how many of
 * its own they are, so nothing is looked up when one ends; on a connection requests end in the order in which they began.
 */
export class Settlement {
  readonly #settled: (id: number) => void;
  /** The primary's questions. A later one makes the earlier ones wait for what it asks about, too. */
  readonly #asked: number[] = [];
  #left = 0;

  constructor(settled: (id: number) => void) {
    this.#settled = settled;
  }

  ask(id: number, connections: Iterable<HandedConnection>): void {
    this.#asked.push(id);
    this.#left = 0;
    for (const connection of connections) {
      const { active, response, used } = connection;
      const isTunnel = active > 0 && response === undefined;
      // Each has brought a request, which may not be read yet.
      connection.earlier = used ? active - Number(isTunnel) : 1;
      this.#left += connection.earlier;
    }
    this.#tell();
  }

  /** The oldest request of the connection has ended. */
  ended(connection: HandedConnection): void {
    this.#retain(connection, connection.earlier - 1);
  }

  /** Its newest request is a tunnel from now on. */
  upgraded(connection: HandedConnection): void {
    this.#retain(connection, Math.min(connection.earlier, connection.active - 1));
  }

  closed(connection: HandedConnection): void {
    this.#retain(connection, 0);
  }

  #retain(connection: HandedConnection, earlier: number): void {
    if (connection.earlier === 0) return;
    this.#left -= connection.earlier - earlier;
    connection.earlier = earlier;
    this.#tell();
  }

  #tell(): void {
    if (this.#left === 0) for (const id of this.#asked.splice(0)) this.#settled(id);
  }
}
