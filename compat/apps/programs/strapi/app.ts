import type { App } from "../../app.ts";
import { postgresPackage, postgresWorkspace, startPostgres } from "../../postgres.ts";

export const app: App = {
  title: "Strapi (PostgreSQL)",
  packages: {
    "@strapi/strapi": "5.54.0",
    "@strapi/plugin-users-permissions": "5.54.0",
    pg: "8.23.1",
    react: "18.3.1",
    "react-dom": "18.3.1",
    "react-router-dom": "6.30.1",
    "styled-components": "6.1.19",
    ...postgresPackage,
  },
  install: "own",
  workspace: postgresWorkspace,
  entry: "node_modules/@strapi/strapi/bin/strapi.js",
  args: ["start"],
  service: startPostgres,
  env: { STRAPI_TELEMETRY_DISABLED: "true", JWT_SECRET: "a secret" },
  requests: [
    { path: "/api/notes" },
    { path: "/api/notes/none" },
    { path: "/_health" },
    { path: "/" },
    { path: "/none" },
  ],
};
