import type { App } from "../../app.ts";

export const app: App = {
  title: "TypeScript by tsx (node --import tsx)",
  packages: { tsx: "4.23.15" },
  install: "shared",
  manifest: { type: "module" },
  entry: "server.ts",
  nodeOptions: "--import tsx",
  requests: [{ path: "/" }, { path: "/there?a=b" }],
};
