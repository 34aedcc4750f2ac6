import type { App } from "../../app.ts";

export const app: App = {
  title: "Nuxt",
  packages: { nuxt: "4.5.2", vue: "3.5.45" },
  install: "own",
  manifest: { type: "module" },
  build: [["node_modules/nuxt/bin/nuxt.mjs", "build"]],
  entry: ".output/server/index.mjs",
  env: { NUXT_TELEMETRY_DISABLED: "1" },
  requests: [{ path: "/" }, { path: "/people/ada" }, { path: "/away" }, { path: "/api/hello" }, { path: "/api/none" }],
};
