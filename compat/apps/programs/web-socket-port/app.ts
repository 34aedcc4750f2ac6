import type { App } from "../../app.ts";
import { talk } from "../../web-socket-talk.ts";

export const app: App = {
  title: "a WebSocketServer({ port }) beside the app",
  packages: { express: "5.3.0", ws: "8.23.0" },
  install: "shared",
  entry: "server.js",
  otherPorts: [18081],
  requests: [{ path: "/" }],
  async probe() {
    return talk("ws://127.0.0.1:18081", { say: ["hello"], expect: 1 });
  },
};
