import type { App } from "../../app.ts";

export const app: App = {
  title: "SvelteKit (adapter-node)",
  packages: {
    "@sveltejs/adapter-node": "6.0.1",
    "@sveltejs/kit": "3.2.0",
    "@sveltejs/vite-plugin-svelte": "7.3.1",
    svelte: "5.57.3",
    vite: "8.3.8",
  },
  install: "own",
  manifest: { type: "module" },
  build: [["node_modules/vite/bin/vite.js", "build"]],
  entry: "build/index.js",
  requests: [
    { path: "/" },
    { path: "/people/ada" },
    { path: "/away" },
    { path: "/hello" },
    { path: "/people/ada/" },
    { path: "/none" },
  ],
};
