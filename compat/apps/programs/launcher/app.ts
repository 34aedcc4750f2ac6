import type { App } from "../../app.ts";

export const app: App = {
  title: "a launcher that spawns the server",
  packages: {},
  install: "shared",
  entry: "launcher.js",
  requests: [{ path: "/" }, { path: "/echo", method: "POST", body: "a body" }],
  known: [
    {
      check: "starts",
      modes: ["handoff"],
      why: "by design: connections are handed to the instance, and a process of its own listens; it says so at once",
    },
  ],
};
