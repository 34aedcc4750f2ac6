import type { App } from "../../app.ts";

export const app: App = {
  title: "Hapi",
  packages: { "@hapi/hapi": "21.4.10" },
  install: "shared",
  entry: "server.js",
  requests: [
    { path: "/" },
    { path: "/away" },
    { path: "/echo", method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}' },
    { path: "/none" },
  ],
};
