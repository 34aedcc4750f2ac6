import type { App } from "../../app.ts";

export const app: App = {
  title: "serve",
  packages: { serve: "14.2.7" },
  install: "shared",
  entry: "../node_modules/serve/build/main.js",
  args: ["-l", "{port}", "-n", "public"],
  lbArgs: ["-l", "{other}", "-n", "public"],
  note: "with another port than the public one (`lb start serve -p 3000 -- -l 3999`): it looks whether somebody answers on its port, finds the cluster there, and would take a random one",
  requests: [
    { path: "/" },
    { path: "/folder/page.html" },
    { path: "/folder/page" },
    { path: "/folder" },
    { path: "/none" },
  ],
  quick: "handoff",
};
