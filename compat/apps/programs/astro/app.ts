import type { App } from "../../app.ts";

export const app: App = {
  title: "Astro (node adapter, standalone)",
  packages: { astro: "7.3.5", "@astrojs/node": "11.1.6" },
  install: "own",
  manifest: { type: "module" },
  build: [["node_modules/astro/bin/astro.mjs", "build"]],
  entry: "dist/server/entry.mjs",
  requests: [{ path: "/" }, { path: "/people/ada" }, { path: "/away" }, { path: "/hello.json" }, { path: "/none" }],
};
