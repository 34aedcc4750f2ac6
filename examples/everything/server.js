// An ordinary app: a JSON API, and Socket.IO. It knows nothing of what stands before it.
import { createServer } from "node:http";
import { Server } from "socket.io";

const instance = process.env.INSTANCE_ID;

const server = createServer((request, response) => {
  const { method, url, headers, socket } = request;
  response.setHeader("content-type", "application/json");
  const { encrypted = false, remoteAddress } = socket;
  response.end(JSON.stringify({ instance, method, url, host: headers.host, encrypted, remoteAddress }));
});

const io = new Server(server);
io.on("connection", (client) => {
  client.emit("served by", instance);
  client.on("say", (text) => io.emit("said", `${text} (instance ${instance})`));
});

server.listen(process.env.PORT);
