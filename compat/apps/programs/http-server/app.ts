import type { App } from "../../app.ts";

export const app: App = {
  title: "http-server",
  packages: { "http-server": "14.1.1" },
  install: "shared",
  entry: "../node_modules/http-server/bin/http-server",
  args: ["public", "-p", "{port}", "-c-1", "-s"],
  requests: [{ path: "/" }, { path: "/folder" }, { path: "/folder/page.html" }, { path: "/none" }],
  quick: "proxy",
};
