import type { App } from "../../app.ts";

export const app: App = {
  title: "an app that listens in a worker thread",
  packages: {},
  install: "shared",
  entry: "server.js",
  requests: [{ path: "/" }, { path: "/away" }],
  known: [
    {
      check: "starts",
      modes: ["handoff"],
      why: "by design: connections are handed to the instance's main thread, and another one listens; it says so at once",
    },
  ],
};
