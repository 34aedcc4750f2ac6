import type { App } from "../../app.ts";

export const app: App = {
  title: "h3",
  packages: { h3: "2.0.8" },
  install: "shared",
  manifest: { type: "module" },
  entry: "server.js",
  requests: [{ path: "/" }, { path: "/away" }, { path: "/echo", method: "POST", body: "a body" }, { path: "/none" }],
};
