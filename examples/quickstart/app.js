// An ordinary app: plain node:http and ws. It knows nothing of the cluster but the variables every worker gets.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const page = readFileSync(new URL("./page.html", import.meta.url));

/** The demo app: a page, `GET /api/whoami`, and a WebSocket that echoes and says who answers. */
export function createApp() {
  const whoami = {
    instance: Number(process.env.INSTANCE_ID ?? 0),
    port: Number(process.env.PORT ?? 0),
    pid: process.pid,
  };

  const server = createServer((request, response) => {
    if (request.url === "/api/whoami") {
      response.setHeader("content-type", "application/json").setHeader("cache-control", "no-store");
      response.end(JSON.stringify(whoami));
    } else if (request.url === "/") {
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(page);
    } else {
      response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
    }
  });

  new WebSocketServer({ server, maxPayload: 65_536 }).on("connection", (socket) => {
    socket.on("error", () => socket.terminate());
    socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary }));
    socket.send(JSON.stringify(whoami));
  });

  return server;
}
