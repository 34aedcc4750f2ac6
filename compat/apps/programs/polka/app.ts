import type { App } from "../../app.ts";

export const app: App = {
  title: "Polka with sirv",
  packages: { polka: "0.5.2", sirv: "3.0.2" },
  install: "shared",
  manifest: { type: "module" },
  entry: "server.js",
  requests: [{ path: "/" }, { path: "/page.html" }, { path: "/none" }],
};
