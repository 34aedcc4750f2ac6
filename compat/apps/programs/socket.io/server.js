const { createServer } = require("node:http");
const express = require("express");
const { Server } = require("socket.io");

const app = express();
const server = createServer(app);
const io = new Server(server);
app.get("/", (request, response) => response.send("chat"));
io.on("connection", (socket) => {
  socket.on("say", (text, answer) => {
    io.emit("said", text);
    answer(`you said ${text}`);
  });
});
server.listen(process.env.PORT);
