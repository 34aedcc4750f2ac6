import type { App } from "../../app.ts";

export const app: App = {
  title: "Hocuspocus (Y.js collaboration)",
  packages: { "@hocuspocus/server": "4.7.0" },
  install: "shared",
  manifest: { type: "module" },
  entry: "server.js",
  requests: [{ path: "/" }, { path: "/document" }],
  note: "a document lives in one instance's memory: those who edit it together need one instance, or its Redis extension",
};
