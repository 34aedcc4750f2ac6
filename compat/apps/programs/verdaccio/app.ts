import type { App } from "../../app.ts";

export const app: App = {
  title: "Verdaccio",
  packages: { verdaccio: "6.10.4" },
  install: "own",
  // It asks for a tag of node-fetch that not every registry has.
  workspace: ["overrides:", "  node-fetch: 2.7.0"],
  entry: "node_modules/verdaccio/bin/verdaccio",
  args: ["--config", "config.yaml", "--listen", "{port}"],
  fresh: ["storage"],
  requests: [{ path: "/-/ping" }, { path: "/nothing" }, { path: "/" }],
  volatile: [/"time":"[^"]*"/g],
  note: "its storage is the file system, which the instances share",
};
