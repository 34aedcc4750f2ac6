import type { App } from "../../app.ts";
import type { SocketLike } from "../../socket-like.ts";

export const app: App = {
  title: "Feathers (Express, Socket.IO)",
  packages: {
    "@feathersjs/errors": "5.0.50",
    "@feathersjs/feathers": "5.0.50",
    "@feathersjs/express": "5.0.50",
    "@feathersjs/socketio": "5.0.50",
    "socket.io-client": "4.8.4",
  },
  install: "shared",
  entry: "server.js",
  requests: [{ path: "/notes" }, { path: "/notes/1" }, { path: "/notes/9" }, { path: "/none" }],
  // The stack of an error has places of files in it.
  async probe({ url, load }) {
    const { io } = (await load("socket.io-client")) as { io: (...args: unknown[]) => SocketLike };
    const socket = io(url, { transports: ["websocket"], reconnection: false });
    try {
      return await new Promise((resolve, reject) => {
        socket.on("connect_error", reject);
        socket.emit("find", "notes", {}, (error: unknown, found: unknown) => (error ? reject(error) : resolve(found)));
      });
    } finally {
      socket.close();
    }
  },
};
