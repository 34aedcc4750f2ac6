import type { Server } from "node:http";
import type { Server as NetServer, Socket } from "node:net";
import { contained, runApp } from "../agent-faults.ts";
import { connectionEvent, giveConnection, protocolOf, takesHttp1 } from "./server-protocol.ts";

/** A TLS record that carries a handshake (RFC 8446, 5.1); no HTTP method begins so. */
const handshakeRecord = 0x16;

/** A server of the app's that listens by itself takes what the front asks it, which is without TLS. */
export function takeWithoutTls(server: NetServer): void {
  if (!takesHttp1(protocolOf(server)) || connectionEvent(server) === "connection") return;
  const own = server.rawListeners("connection");
  server.removeAllListeners("connection");
  const give = (socket: Socket) => {
    for (const listener of own) listener.call(server, socket);
  };
  server.on("connection", (socket: Socket) => giveBehindTls(server as Server, socket, give));
}

/** Gives a TLS server a connection on which the client speaks TLS, or does not: the first byte tells. */
export function giveBehindTls(
  server: Server,
  socket: Socket,
  withTls: (socket: Socket) => void = (socket) => void server.emit("connection", socket),
): void {
  const giveUp = () => socket.destroy();
  socket.on("error", giveUp);
  // It is closed as one that the server has accepted and on which nothing arrives.
  socket.setTimeout(server.headersTimeout, giveUp);
  const read = contained("the first byte on an own port", (chunk: Buffer) => {
    socket.pause();
    socket.setTimeout(0, giveUp);
    socket.off("error", giveUp);
    if (chunk[0] === handshakeRecord) {
      // TLS takes what is there, and from then on reads the handle itself.
      socket.unshift(chunk);
      runApp(() => withTls(socket));
    } else {
      // HTTP reads the handle itself from the beginning, and what comes by the stream besides.
      giveConnection(server, socket);
      runApp(() => socket.unshift(chunk));
      socket.resume();
    }
  });
  socket.once("data", read);
}
