import type { App } from "../../app.ts";

export const app: App = {
  title: "Koa",
  packages: { koa: "3.2.1", "@koa/router": "15.7.0" },
  install: "shared",
  entry: "server.js",
  requests: [{ path: "/" }, { path: "/away" }, { path: "/echo", method: "POST", body: "a body" }, { path: "/none" }],
  quick: "handoff",
};
