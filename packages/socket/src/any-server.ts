import type { Server } from "socket.io";

/** A Socket.IO server, whatever events it is typed for. */
// biome-ignore lint/suspicious/noExplicitAny: Socket.IO's type parameters are invariant
export type AnyServer = Server<any, any, any, any>;
