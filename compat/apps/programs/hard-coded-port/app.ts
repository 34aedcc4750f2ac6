import type { App } from "../../app.ts";

export const app: App = {
  title: "a hard-coded port",
  packages: { express: "5.3.0" },
  install: "shared",
  entry: "server.js",
  fixedPort: 6823,
  requests: [{ path: "/" }, { path: "/away" }],
  quick: "handoff",
};
