import type { Position } from "@lb/core";
import type { RecoverableSocket } from "./namespace.ts";
import type { SessionRooms } from "./session-rooms.ts";

export type SessionState =
  /** It has rooms, but Socket.IO has not let it in yet. */
  | { readonly kind: "arriving" }
  /** Socket.IO is to make a socket of it, and then to send what is in `missed`. */
  | { readonly kind: "restoring"; readonly missed: unknown[][]; early: Early[] | undefined; readonly data: unknown }
  /** The socket is made; what comes until it is let in is held back. */
  | { readonly kind: "holding"; held: unknown[][] | undefined; readonly data: unknown }
  | Connected
  | { readonly kind: "disconnected" };

export interface Connected {
  readonly kind: "connected";
  readonly socket: RecoverableSocket;
  /** What had been sent to it when it last answered a ping. */
  sentBefore: Position;
  readonly unsubscribe: () => void;
}

/** It came while the log was asked for what was missed, and may be in the answer. */
export interface Early {
  readonly key: string;
  readonly data: unknown[];
}

/** A client here, or on its way in. */
export interface LiveSession {
  readonly sid: string;
  pid: string;
  readonly rooms: SessionRooms;
  state: SessionState;
  /** It has this and whatever came before; undefined: nobody knows yet. */
  confirmed: Position | undefined;
  /** Those who want to have it elsewhere. */
  readonly awaiting: Set<(released: boolean) => void>;
}
