import type { App } from "../../app.ts";

export const app: App = {
  title: "an app that uses node:cluster itself",
  packages: {},
  install: "shared",
  entry: "server.js",
  requests: [{ path: "/" }, { path: "/away" }],
  known: [
    {
      check: "starts",
      modes: ["handoff"],
      why: "by design: connections are handed to the instance, and a process of its own listens; it says so at once",
    },
  ],
};
