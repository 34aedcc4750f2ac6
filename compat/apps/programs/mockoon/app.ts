import type { App } from "../../app.ts";

export const app: App = {
  title: "Mockoon CLI",
  packages: { "@mockoon/cli": "9.9.0" },
  install: "own",
  entry: "node_modules/@mockoon/cli/bin/run.js",
  args: ["start", "--data", "mock.json", "--port", "{port}", "--disable-admin-api", "--disable-log-to-file"],
  requests: [{ path: "/hello" }, { path: "/none" }],
};
