import type { App } from "../../app.ts";

export const app: App = {
  title: "Fastify",
  packages: { fastify: "5.12.8", "@fastify/static": "10.1.11" },
  install: "shared",
  entry: "server.js",
  requests: [
    { path: "/" },
    { path: "/static/page.html" },
    { path: "/away" },
    { path: "/echo", method: "POST", headers: { "content-type": "application/json" }, body: '{"a":[1,2]}' },
    { path: "/none" },
  ],
};
