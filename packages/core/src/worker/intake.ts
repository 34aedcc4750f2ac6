import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../model/clock.ts";
import { type ServedLink, serveLink } from "./link/link-intake.ts";
import { openPrivateSocket } from "./private-socket.ts";

/** Where the front's traffic enters the worker. */
export interface Intake {
  /**
   * Takes no further links, removes the socket file, and asks the front to end those that are open: idle client
   * connections now, the others with their exchange.
   */
  close(): void;
  /** No connection goes back to the front any more: it is about to end, too. */
  stay(): void;
  /** This connection would have moved away. */
  stays(socket: Duplex): boolean;
  /** This connection will not be closed for the drain, but goes back to the front when it is idle. */
  movesAway(socket: Duplex): boolean;
  /** Connections that were taken, and are not the server's yet: their handshakes are under way. */
  readonly arriving: number;
  /** Gives those up. */
  destroyArriving(): void;
  /** The drain is over: nothing is listened for any more. */
  end(): void;
}

export interface IntakeOptions {
  readonly path: string;
  readonly server: Server;
  /** What the app sees as its own end of a connection. */
  readonly local: AddressInfo;
  readonly clock: Clock;
}

/**
 * Opens the private Unix socket and serves the links that arrive on it: each client connection they carry is given to
 * the app's server as if it had accepted it, so requests, upgrades and time-outs are as on its own port.
 *
 * @throws LbError `LB_INTAKE`
 */
export async function openIntake({ path, server, local, clock }: IntakeOptions): Promise<Intake> {
  const links = new Set<ServedLink>();
  const intake = await openPrivateSocket(path, "a link of the front", (socket) => {
    const link = serveLink(socket, server, { clock, local, onEnd: () => links.delete(link) });
    links.add(link);
  });
  return {
    stay() {},
    arriving: 0,
    destroyArriving() {},
    // The front says by itself what is the last answer on a connection.
    stays: () => false,
    movesAway: () => false,
    end() {},
    close() {
      intake.close();
      for (const link of links) link.drain();
    },
  };
}
