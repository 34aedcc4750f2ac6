import type { App } from "../../app.ts";

export const app: App = {
  title: "tRPC (standalone, subscriptions by SSE)",
  packages: { "@trpc/server": "11.25.2" },
  install: "shared",
  manifest: { type: "module" },
  entry: "server.js",
  requests: [
    { path: "/hello?input=%22ada%22" },
    { path: "/add", method: "POST", headers: { "content-type": "application/json" }, body: "[1,2]" },
    { path: "/count" },
    { path: "/none" },
  ],
  loadPath: "/hello?input=%22ada%22",
};
