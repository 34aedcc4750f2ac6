import type { App } from "../../app.ts";
import { talk } from "../../web-socket-talk.ts";

export const app: App = {
  title: "PeerJS server",
  packages: { peer: "1.0.2" },
  install: "shared",
  entry: "../node_modules/peer/dist/bin/peerjs.js",
  args: ["--port", "{port}", "--path", "/peers"],
  requests: [{ path: "/peers" }, { path: "/peers/none" }],
  async probe({ url }) {
    return talk(`${url.replace("http", "ws")}/peers/peerjs?key=peerjs&id=ada&token=secret`, { say: [], expect: 1 });
  },
  note: "peers are in each instance's memory, so that those of one group need one instance",
};
