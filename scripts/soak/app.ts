// An app that knows nothing of us.
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { Counter, collectDefaultMetrics } from "prom-client";
import { WebSocketServer } from "ws";

collectDefaultMetrics();
const answered = new Counter({ name: "app_requests_total", help: "Requests that the app had.", labelNames: ["path"] });

const big = Buffer.alloc(64 * 1_024, "x");

const server = createServer(async (request, response) => {
  const path = new URL(request.url!, "http://app").pathname;
  answered.inc({ path });
  switch (path) {
    case "/":
      return response.setHeader("content-type", "application/json").end('{"hello":"world"}');
    case "/slow":
      await pause(20);
      return response.end("late");
    case "/big":
      return response.end(big);
    case "/post": {
      let octets = 0;
      for await (const chunk of request) octets += (chunk as Buffer).length;
      return response.end(String(octets));
    }
    case "/fails":
      return response.writeHead(500).end();
    default:
      return response.writeHead(404).end();
  }
});
new WebSocketServer({ server }).on("connection", (socket) => socket.on("message", (text) => socket.send(String(text))));
server.listen(Number(process.env["PORT"]));
