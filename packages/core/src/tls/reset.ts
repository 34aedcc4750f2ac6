import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** Cuts a connection off in a way that the peer takes for no end, encrypted or not. */
export function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) {
    // Node would throw: it has no handle of TCP.
    const raw = rawSocketOf(socket);
    if (raw === undefined) socket.destroy();
    else raw.resetAndDestroy();
  } else socket.resetAndDestroy();
}

/** What it is made of. By a property that is not documented, and is there in Node 22, 24 and 26. */
export function rawSocketOf(socket: TLSSocket): Socket | undefined {
  return (socket as TLSSocket & { readonly _parent?: Socket | null })._parent ?? undefined;
}
