import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/**
 * Cuts a connection off in a way that the peer takes for no end, encrypted or not. At a Unix socket there is no such way: its
 * peer finds that what was begun is not whole.
 */
export function reset(socket: Socket): void {
  // Of what has no handle of TCP Node throws: a Unix socket, and what is encrypted whatever it is made of.
  const raw = socket instanceof TLSSocket ? rawSocketOf(socket) : socket;
  try {
    if (raw === undefined) socket.destroy();
    else raw.resetAndDestroy();
  } catch {
    socket.destroy();
  }
}

/** What it is made of. By a property that is not documented, and is there in Node 22, 24 and 26. */
export function rawSocketOf(socket: TLSSocket): Socket | undefined {
  return (socket as TLSSocket & { readonly _parent?: Socket | null })._parent ?? undefined;
}
