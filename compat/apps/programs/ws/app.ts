import type { App } from "../../app.ts";
import { talk } from "../../web-socket-talk.ts";

export const app: App = {
  title: "ws",
  packages: { ws: "8.23.0" },
  install: "shared",
  entry: "server.js",
  requests: [{ path: "/" }],
  async probe({ url }) {
    return talk(url.replace("http", "ws"), { say: ["hello", "again"], expect: 3 });
  },
  quick: "handoff",
};
