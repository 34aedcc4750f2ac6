import type { App } from "../../app.ts";

export const app: App = {
  title: "Node-RED",
  packages: { "node-red": "5.0.7" },
  install: "own",
  entry: "node_modules/node-red/red.js",
  args: ["--port", "{port}", "--userDir", "data", "--settings", "settings.js"],
  fresh: ["data"],
  requests: [{ path: "/hello?name=ada" }, { path: "/flows" }, { path: "/none" }],
  readyPath: "/hello",
  note: "listens before its flows run, hence `health.active` (`--health-path`) in its lb.config.json; the editor's changes reach the instance that they are sent to, the others after a reload",
};
