import type { EngineConnection } from "./heartbeats.ts";
import type { Encoder, Parser } from "./wire-packet.ts";

/** A Socket.IO socket, as far as it is looked at here. */
export interface RecoverableSocket {
  readonly id: string;
  /** Known to the client alone; it shows it to be let in again. */
  readonly pid: string;
  readonly data: unknown;
  readonly conn: EngineConnection;
}

/** A namespace of a Socket.IO server, as far as it is looked at here. */
export interface AdaptedNamespace {
  readonly name: string;
  /** The one before, where there was one. */
  readonly adapter?: unknown;
  readonly sockets: Map<string, RecoverableSocket>;
  readonly server: {
    readonly encoder: Encoder;
    readonly _parser: Parser;
    readonly opts: {
      readonly parser?: unknown;
      readonly connectionStateRecovery?: { readonly maxDisconnectionDuration?: number };
    };
  };
  prependListener(event: "connection", listener: (socket: RecoverableSocket) => void): unknown;
  removeListener(event: "connection", listener: (socket: RecoverableSocket) => void): unknown;
}
