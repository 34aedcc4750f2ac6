const { createServer } = require("node:http");
const { WebSocketServer } = require("ws");

const server = createServer((request, response) => response.end("a WebSocket, please"));
const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket) => {
  socket.send("welcome");
  socket.on("message", (message) => socket.send(`you said ${message}`));
});
server.listen(process.env.PORT);
