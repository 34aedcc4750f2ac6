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
      modes: ["proxy", "handoff"],
      why: "its own processes share a port that the instance cannot give them; without node:cluster (lb is in its place) it runs",
    },
  ],
};
