import type { IncomingMessage } from "node:http";
import { handedConnection } from "./handoff/handed-connection.ts";
import { isFromPeer } from "./handoff/peer-intake.ts";
import { idOf } from "./handoff/request-identity.ts";
import { ClientSocket } from "./link/client-socket.ts";

/** Finds the id that the front, or this process in its place, has given a request. What comes to the instance's own port has none. */
export function givenId(header: string): (request: IncomingMessage) => string | undefined {
  const name = header.toLowerCase();
  return (request) => {
    const { socket, rawHeaders } = request;
    if (handedConnection(socket) !== undefined) return idOf(request);
    if (!(socket instanceof ClientSocket) && !isFromPeer(socket)) return undefined;
    // The front writes it first.
    return rawHeaders[0] === header ? rawHeaders[1] : (request.headers[name] as string | undefined);
  };
}
