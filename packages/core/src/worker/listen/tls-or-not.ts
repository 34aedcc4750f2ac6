import type { Server } from "node:http";
import type { Socket } from "node:net";
import { contained, runApp } from "../agent-faults.ts";
import { giveConnection } from "./server-protocol.ts";

/** A TLS record that carries a handshake (RFC 8446, 5.1); no HTTP method begins so. */
const handshakeRecord = 0x16;

/** Gives a TLS server a connection on which the client speaks TLS, or does not: the first byte tells. */
export function giveBehindTls(server: Server, socket: Socket): void {
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
      runApp(() => server.emit("connection", socket));
    } else {
      // HTTP reads the handle itself from the beginning, and what comes by the stream besides.
      giveConnection(server, socket);
      runApp(() => socket.unshift(chunk));
      socket.resume();
    }
  });
  socket.once("data", read);
}
