import type { App } from "../../app.ts";

export const app: App = {
  title: "Restify",
  packages: { restify: "12.0.0" },
  install: "shared",
  entry: "server.js",
  requests: [
    { path: "/" },
    { path: "/away" },
    { path: "/echo", method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}' },
    { path: "/none" },
  ],
  volatile: [/[0-9a-f]{8}-[0-9a-f-]{27}/g, /^\d+$/],
};
