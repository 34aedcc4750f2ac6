import type { App } from "../../app.ts";

export const app: App = {
  title: "Next.js (next start)",
  packages: { next: "16.4.6", react: "19.3.1", "react-dom": "19.3.1" },
  install: "own",
  build: [["node_modules/next/dist/bin/next", "build"]],
  entry: "node_modules/next/dist/bin/next",
  args: ["start", "-p", "{port}"],
  env: { NEXT_TELEMETRY_DISABLED: "1" },
  requests: [
    { path: "/" },
    { path: "/people/ada" },
    { path: "/api/hello?name=ada" },
    { path: "/api/away" },
    { path: "/old" },
    { path: "/people/ada/" },
    { path: "/none" },
  ],
  loadPath: "/people/ada",
};
