import type { App } from "../../app.ts";

export const app: App = {
  title: "TypeScript by Node",
  packages: {},
  install: "shared",
  manifest: { type: "module" },
  entry: "server.ts",
  requests: [{ path: "/" }, { path: "/there?a=b" }],
};
