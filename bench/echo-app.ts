import { createServer, type Server } from "node:http";
import { WebSocketServer } from "ws";

/** Sends every WebSocket message back. */
export function createEchoApp(): Server {
  const server = createServer((_request, response) => response.end("ok"));
  new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket) => {
    socket.on("error", () => socket.terminate());
    socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary }));
  });
  return server;
}
