import type { App } from "../../app.ts";

export const app: App = {
  title: "AdonisJS",
  packages: { "@adonisjs/core": "7.5.2" },
  install: "own",
  manifest: { type: "module" },
  entry: "bin/server.js",
  env: { HOST: "localhost", APP_KEY: "a-secret-of-thirty-two-characters-or-more" },
  requests: [
    { path: "/" },
    { path: "/away" },
    { path: "/echo", method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}' },
    { path: "/none" },
  ],
};
