import type { App } from "../../app.ts";

export const app: App = {
  title: "Elysia on Node",
  packages: { elysia: "1.4.30", "@elysiajs/node": "1.4.5" },
  install: "shared",
  manifest: { type: "module" },
  entry: "server.js",
  requests: [
    { path: "/" },
    { path: "/away" },
    { path: "/echo", method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}' },
    { path: "/none" },
  ],
};
