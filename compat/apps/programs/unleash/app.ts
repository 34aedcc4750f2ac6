import type { App } from "../../app.ts";
import { postgresPackage, postgresWorkspace, startPostgres } from "../../postgres.ts";

export const app: App = {
  title: "Unleash (PostgreSQL)",
  packages: { "unleash-server": "8.2.0", ...postgresPackage },
  install: "own",
  workspace: postgresWorkspace,
  entry: "server.js",
  service: startPostgres,
  env: {
    UNLEASH_SECRET: "secret",
    DATABASE_SSL: "false",
    LOG_LEVEL: "error",
    CHECK_VERSION: "false",
    SEND_TELEMETRY: "false",
  },
  requests: [
    { path: "/health" },
    { path: "/api/client/features" },
    { path: "/api/admin/projects" },
    { path: "/" },
    { path: "/none" },
  ],
};
