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
      modes: ["proxy", "handoff"],
      why: "the process that listens is a child of the instance, and gets EADDRINUSE on the public port; start the program that it spawns by `lb start` itself",
    },
  ],
};
