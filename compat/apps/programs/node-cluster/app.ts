import type { App } from "../../app.ts";

export const app: App = {
  title: "an app that uses node:cluster itself",
  packages: {},
  install: "shared",
  entry: "server.js",
  requests: [{ path: "/" }, { path: "/away" }],
};
