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
      modes: ["proxy", "handoff"],
      why: "its command spawns the program, which gets EADDRINUSE on the public port; use `NODE_OPTIONS='--import tsx' lb start server.ts`",
    },
  ],
};
