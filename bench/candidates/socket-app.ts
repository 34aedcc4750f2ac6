// What all candidates of `bench sockets` serve: clients join rooms, one of them has an instance flood the others.
import type { RequestListener } from "node:http";
import type { Server } from "socket.io";

/** Messages written in one turn of the event loop; then others have their turn, as in an app that is fed by a socket. */
const burst = 50;

export const noPage: RequestListener = (_, response) => void response.writeHead(404).end();

export function serveFlood(io: Server): void {
  io.on("connection", (socket) => {
    socket.emit("served by", process.pid);
    socket.on("join", async (room: string, done: () => void) => {
      await socket.join(room);
      done();
    });
    socket.on("flood", (rooms: readonly string[], count: number, text: string) => {
      let sent = 0;
      const write = () => {
        for (let left = burst; left > 0 && sent < count; left--, sent++) {
          const room = rooms[sent % rooms.length];
          if (room === undefined) io.emit("news", text);
          else io.to(room).emit("news", text);
        }
        if (sent < count) setImmediate(write);
      };
      write();
    });
    socket.on("say", (text: string) => io.emit("news", text));
  });
}
