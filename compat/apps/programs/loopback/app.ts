import type { App } from "../../app.ts";

export const app: App = {
  title: "LoopBack 4",
  packages: { "@loopback/rest": "15.0.16", "@loopback/core": "7.0.15" },
  install: "own",
  entry: "server.js",
  requests: [{ path: "/hello" }, { path: "/openapi.json" }, { path: "/explorer" }, { path: "/none" }],
};
