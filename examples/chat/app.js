// An ordinary Socket.IO chat. What makes it one chat over all instances is the call of setupWorker().
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { setupWorker } from "@lb/socket";
import { Server } from "socket.io";

const page = readFileSync(new URL("./page.html", import.meta.url));
const rooms = ["lobby", "kitchen", "garden"];

export function createApp() {
  const server = createServer((request, response) => {
    if (request.url === "/") response.setHeader("content-type", "text/html; charset=utf-8").end(page);
    else response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
  });
  const io = new Server(server, { connectionStateRecovery: {}, maxHttpBufferSize: 10_000 });
  setupWorker(io, { drain: { spreadMs: 1_000 } });

  io.on("connection", (socket) => {
    // A client that was recovered is in its room already; it is the instance that is new.
    if (socket.recovered && socket.data.room !== undefined) tellPresence(io, socket.data.room);
    socket.emit("served by", { instance: socket.data.instance, pid: process.pid, rooms });

    socket.on("enter", async (name, room) => {
      if (!rooms.includes(room) || typeof name !== "string") return;
      const left = socket.data.room;
      if (left !== undefined) await socket.leave(left);
      Object.assign(socket.data, { name: name.trim().slice(0, 30) || "somebody", room });
      await socket.join(room);
      for (const changed of new Set([left, room])) if (changed !== undefined) tellPresence(io, changed);
    });

    socket.on("say", (text) => {
      const { name, room, instance } = socket.data;
      if (room !== undefined && typeof text === "string")
        io.to(room).emit("said", { name, instance, text: text.slice(0, 500) });
    });

    socket.on("kill my instance", () => process.kill(process.pid, "SIGKILL"));

    socket.on("disconnect", () => {
      if (socket.data.room !== undefined) tellPresence(io, socket.data.room);
    });
  });
  return server;
}

const pending = new Set();

/** Tells a room who is there, on whichever instance; changes that come together are told together. */
function tellPresence(io, room) {
  if (pending.has(room)) return;
  pending.add(room);
  setTimeout(async () => {
    pending.delete(room);
    const present = await io.in(room).fetchSockets();
    io.to(room).emit(
      "present",
      present.map(({ id, data }) => ({ id, name: data.name, instance: data.instance })),
    );
  }, 100);
}
