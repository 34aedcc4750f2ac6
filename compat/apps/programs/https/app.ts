import type { App } from "../../app.ts";

export const app: App = {
  title: "an https app",
  packages: { selfsigned: "5.5.0" },
  install: "shared",
  entry: "server.js",
  plainScheme: "https",
  requests: [{ path: "/" }, { path: "/echo", method: "POST", body: "a body" }],
};
