import type { App } from "../../app.ts";

export const app: App = {
  title: "process.argv[1] as guard",
  packages: {},
  install: "shared",
  entry: "server.mjs",
  args: ["--greeting", "hello"],
  requests: [{ path: "/" }],
};
