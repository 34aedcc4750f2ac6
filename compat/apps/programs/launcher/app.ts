import type { App } from "../../app.ts";

export const app: App = {
  title: "a launcher that spawns the server",
  packages: {},
  install: "shared",
  entry: "launcher.js",
  requests: [{ path: "/" }, { path: "/echo", method: "POST", body: "a body" }],
};
