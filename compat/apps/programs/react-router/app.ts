import type { App } from "../../app.ts";

export const app: App = {
  title: "React Router (react-router-serve)",
  packages: {
    "@react-router/dev": "8.4.0",
    "@react-router/node": "8.4.0",
    "@react-router/serve": "8.4.0",
    isbot: "5.2.3",
    react: "19.3.1",
    "react-dom": "19.3.1",
    "react-router": "8.4.0",
    vite: "8.3.8",
  },
  install: "own",
  manifest: { type: "module" },
  build: [["node_modules/@react-router/dev/bin.cjs", "build"]],
  entry: "node_modules/@react-router/serve/bin.cjs",
  args: ["build/server/index.js"],
  requests: [
    { path: "/" },
    { path: "/people/ada" },
    { path: "/away" },
    { path: "/form", method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "a=1" },
    { path: "/none" },
  ],
  loadPath: "/people/ada",
};
