import type { App } from "../../app.ts";

export const app: App = {
  title: "Etherpad",
  packages: { "ep_etherpad-lite": "1.8.14" },
  install: "own",
  build: [["lay-out.mjs"]],
  entry: "src/node/server.js",
  args: ["--settings", "settings.json"],
  volatile: [/v=\w{8,}/g, /^W\/".*"$/],
  requests: [{ path: "/" }, { path: "/api" }, { path: "/none" }],
  note: "a pad is edited in one instance's memory: those who edit it together need one instance",
};
