import type { App } from "../../app.ts";

export const app: App = {
  title: "PORT in absolute URLs",
  packages: { express: "5.3.0" },
  install: "shared",
  entry: "server.js",
  requests: [{ path: "/" }, { path: "/away" }],
};
