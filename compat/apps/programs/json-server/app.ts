import type { App } from "../../app.ts";

export const app: App = {
  title: "json-server",
  packages: { "json-server": "0.17.4" },
  install: "shared",
  entry: "../node_modules/json-server/lib/cli/bin.js",
  args: ["--port", "{port}", "--quiet", "db.json"],
  fresh: ["db.json"],
  requests: [
    { path: "/posts" },
    { path: "/posts/1" },
    { path: "/posts?_page=1&_limit=1" },
    { path: "/posts/9" },
    { path: "/" },
  ],
  note: "for reading: each instance holds the whole data base in its memory",
};
