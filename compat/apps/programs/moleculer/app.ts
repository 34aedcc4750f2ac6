import type { App } from "../../app.ts";

export const app: App = {
  title: "Moleculer with its API gateway",
  packages: { moleculer: "0.15.2", "moleculer-web": "0.11.0" },
  install: "shared",
  entry: "server.js",
  requests: [{ path: "/api/math/add?a=1&b=2" }, { path: "/api/none" }],
  readyPath: "/api/math/add?a=1&b=2",
  note: "listens before its routes exist, hence `health.active` (`--health-path`) in its lb.config.json",
  volatile: [/[0-9a-f]{8}-[0-9a-f-]{27}/g],
};
