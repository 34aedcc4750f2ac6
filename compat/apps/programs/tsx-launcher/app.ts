import type { App } from "../../app.ts";

export const app: App = {
  title: "TypeScript by tsx (its command)",
  packages: { tsx: "4.23.15" },
  install: "shared",
  manifest: { type: "module" },
  entry: "../node_modules/tsx/dist/cli.mjs",
  args: ["server.ts"],
  requests: [{ path: "/" }, { path: "/there?a=b" }],
  known: [
    {
      check: "starts",
      modes: ["handoff"],
      why: "by design: connections are handed to the instance, and a process of its own listens; it says so at once",
    },
  ],
};
