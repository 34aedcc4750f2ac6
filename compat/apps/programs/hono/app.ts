import type { App } from "../../app.ts";

export const app: App = {
  title: "Hono",
  packages: { hono: "4.13.19", "@hono/node-server": "2.1.8" },
  install: "shared",
  manifest: { type: "module" },
  entry: "server.js",
  requests: [
    { path: "/" },
    { path: "/stream" },
    { path: "/away" },
    { path: "/echo", method: "POST", headers: { "content-type": "text/plain" }, body: "a body" },
    { path: "/none" },
  ],
  quick: "proxy",
};
