import type { App } from "../../app.ts";
import type { SocketLike } from "../../socket-like.ts";

export const app: App = {
  title: "Socket.IO chat",
  packages: { "socket.io": "4.8.4", "socket.io-client": "4.8.4", express: "5.3.0" },
  install: "shared",
  entry: "server.js",
  requests: [{ path: "/" }, { path: "/socket.io/?EIO=3&transport=polling" }],
  async probe({ url, load }) {
    const { io } = (await load("socket.io-client")) as { io: (...args: unknown[]) => SocketLike };
    const said: unknown[] = [];
    for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
      const sockets = Array.from({ length: 4 }, () => io(url, { transports, reconnection: false, forceNew: true }));
      const answers = sockets.map(
        (socket) =>
          new Promise((resolve) => {
            socket.on("connect_error", (error) => resolve(`not connected by ${transports}: ${error}`));
            socket.on("disconnect", (reason) => resolve(`disconnected by ${transports}: ${reason}`));
            socket.emit("say", "hello", resolve);
          }),
      );
      said.push(await Promise.all(answers));
      for (const socket of sockets) socket.close();
    }
    return said;
  },
  quick: "proxy",
};
