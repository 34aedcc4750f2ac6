import type { App } from "../../app.ts";

export const app: App = {
  title: "require.main === module",
  packages: { express: "5.3.0" },
  install: "shared",
  entry: "server.js",
  requests: [{ path: "/" }, { path: "/away" }],
  quick: "proxy",
};
