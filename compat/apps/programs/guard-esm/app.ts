import type { App } from "../../app.ts";

export const app: App = {
  title: "import.meta.main",
  packages: {},
  install: "shared",
  entry: "server.mjs",
  requests: [{ path: "/" }],
  quick: "handoff",
};
