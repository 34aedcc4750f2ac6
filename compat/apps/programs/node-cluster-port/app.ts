import type { App } from "../../app.ts";

export const app: App = {
  title: "node:cluster and a hard-coded port",
  packages: {},
  install: "shared",
  entry: "server.js",
  fixedPort: 18125,
  requests: [{ path: "/" }, { path: "/away" }],
  known: [
    {
      check: "starts",
      modes: ["handoff"],
      why: "by design: connections are handed to the instance, and a process of its own listens; it says so at once",
    },
  ],
};
