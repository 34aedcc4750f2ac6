import type { App } from "../../app.ts";

export const app: App = {
  title: "an app with worker threads",
  packages: { piscina: "5.3.2", express: "5.3.0" },
  install: "shared",
  entry: "server.js",
  requests: [{ path: "/20" }, { path: "/25" }],
};
