import type { App } from "../../app.ts";

export const app: App = {
  title: "Nitro (node_cluster)",
  packages: { nitropack: "2.13.6" },
  install: "own",
  manifest: { type: "module" },
  build: [["node_modules/nitropack/dist/cli/index.mjs", "build"]],
  entry: ".output/server/index.mjs",
  env: { NITRO_CLUSTER_WORKERS: "2" },
  requests: [{ path: "/" }, { path: "/away" }, { path: "/echo", method: "POST", body: "a body" }, { path: "/none" }],
  known: [
    {
      check: "starts",
      modes: ["handoff"],
      why: "by design: connections are handed to the instance, and a process of its own listens; it says so at once",
    },
  ],
};
