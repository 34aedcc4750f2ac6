const express = require("express");
const { WebSocketServer } = require("ws");

const app = express();
app.get("/", (request, response) => response.send("hello"));
app.listen(process.env.PORT);

const sockets = new WebSocketServer({ port: 18081 });
sockets.on("connection", (socket) => {
  socket.on("message", (message) => socket.send(`you said ${message}`));
});
