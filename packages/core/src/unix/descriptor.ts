import type { Server, Socket } from "node:net";

/**
 * What a socket is called in this process; undefined: it is not open. By a property of Node's that is not documented; there is
 * none on Windows.
 */
export function descriptorOf(socket: Server | Socket): number | undefined {
  return (socket as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd;
}
