import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Where a handed-off connection's socket carries what is known of it, so that no look-up is due for each request. */
const known = Symbol("lb.handoff");

/** A connection that the primary has handed to this worker. */
export class HandedConnection {
  readonly socket: Socket;
  /** The primary had read a request off it. */
  readonly brought: boolean;
  /** Requests begun and not ended; more than one when they are pipelined. */
  active = 0;
  /** A request has begun on it in this worker. */
  used = false;
  /** The request that the primary had read has been let to the app. */
  served = false;
  /** Its peer is a proxy of ours; undefined until that was looked at. */
  trusted: boolean | undefined;
  /** Its requests belong to another worker: it goes back when it is idle. */
  misplaced = false;
  /** When the request began that is being answered. */
  startedAt = 0;
  /** From `startedAt` until the head of the response was out, once that was noticed. */
  latencyMs: number | undefined;
  /** Undefined in a tunnel. */
  response: ServerResponse | undefined;

  constructor(socket: Socket, brought: boolean) {
    this.socket = socket;
    this.brought = brought;
    (socket as KnownSocket)[known] = this;
  }
}

type KnownSocket = Duplex & { [known]?: HandedConnection };

/** Undefined: the connection came to the instance's own port. */
export function handedConnection(socket: Duplex): HandedConnection | undefined {
  return (socket as KnownSocket)[known];
}
