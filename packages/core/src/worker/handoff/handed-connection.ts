import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectionOrigin } from "../../ipc/handoff-messages.ts";
import type { HandshakeFacts } from "../../tls/handshakes.ts";
import { showClient } from "./shown-client.ts";

/** Where a handed-off connection's socket carries what is known of it, so that no look-up is due for each request. */
const known = Symbol("lb.handoff");

/** A connection that the primary has handed to this worker. */
export class HandedConnection {
  readonly socket: Socket;
  /** What its socket does not tell; it goes back with it. */
  readonly origin: ConnectionOrigin | undefined;
  /** What its handshake told, if this worker has made one: it cannot go anywhere else then. */
  readonly secure: HandshakeFacts | undefined;
  /** Requests begun and not ended; more than one when they are pipelined. */
  active = 0;
  /** Those of them that the primary waits for; see `settlement.ts`. */
  earlier = 0;
  /** A request has begun on it in this worker. */
  used = false;
  /** The request that the primary had read has been let to the app. */
  served: boolean;
  /** Its peer is a proxy of ours; undefined until that was looked at. */
  trusted: boolean | undefined;
  /** Its requests belong to another worker: it goes back when it is idle. */
  misplaced = false;
  // The next four are those of `pipeline-turns.ts`.
  /** It is not read, as it has very many requests in flight, or brought more than is read at once. */
  held = false;
  /** It waits for its turn. */
  queued = false;
  /** What it brought and is still to be read. */
  rest: Buffer | undefined;
  /** By its socket, when it had brought that. */
  bytesRead = 0;
  /** Of what its socket has read and written, what was told of requests that have ended. */
  countedIn = 0;
  countedOut = 0;
  /** When the request began that is being answered. */
  startedAt = 0;
  /** From `startedAt` until the head of the response was out, once that was noticed. */
  latencyMs: number | undefined;
  /** A response has ended on it. */
  answered = false;
  /** It ended, or will, for what the client did or failed to do. */
  clientFailed = false;
  /** Whose turn it is; undefined in a tunnel. */
  response: ServerResponse | undefined;
  readonly #behind: ServerResponse[] = [];
  /** Whoever has something under way on behalf of a request. */
  #ends: Set<() => void> | undefined;

  constructor(socket: Socket, origin?: ConnectionOrigin, secure?: HandshakeFacts) {
    this.socket = socket;
    this.origin = origin;
    this.secure = secure;
    // On what it was placed by, nobody had read a request.
    this.served = secure !== undefined;
    if (origin?.isUnix === true) this.trusted = true;
    if (origin?.client !== undefined) showClient(socket, origin.client);
    (socket as KnownSocket)[known] = this;
  }

  /** Of the request that began last. */
  get newest(): ServerResponse | undefined {
    return this.#behind.at(-1) ?? this.response;
  }

  /** Those of requests that are pipelined behind it. */
  get behind(): readonly ServerResponse[] {
    return this.#behind;
  }

  begin(response: ServerResponse | undefined): void {
    this.used = true;
    this.active++;
    if (this.active === 1 || response === undefined) this.response = response;
    else this.#behind.push(response);
  }

  end(): void {
    this.active--;
    this.answered = true;
    this.response = this.#behind.shift();
  }

  /** Calls `ended` when the connection closes: a response that waits behind others is not told. Returns the call that takes it back. */
  whenClosed(ended: () => void): () => void {
    this.#ends ??= new Set();
    this.#ends.add(ended);
    return () => this.#ends?.delete(ended);
  }

  closed(): void {
    this.active = 0;
    this.response = undefined;
    this.#behind.length = 0;
    for (const ended of this.#ends ?? []) ended();
    this.#ends = undefined;
  }
}

type KnownSocket = Duplex & { [known]?: HandedConnection };

/** Undefined: the connection came to the instance's own port. */
export function handedConnection(socket: Duplex): HandedConnection | undefined {
  return (socket as KnownSocket)[known];
}
