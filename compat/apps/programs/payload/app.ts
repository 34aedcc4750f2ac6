import type { App } from "../../app.ts";

export const app: App = {
  title: "Payload CMS (SQLite)",
  packages: {
    payload: "3.90.2",
    "@payloadcms/db-sqlite": "3.90.2",
    "@payloadcms/next": "3.90.2",
    "@payloadcms/richtext-lexical": "3.90.2",
    graphql: "16.15.0",
    next: "16.4.6",
    react: "19.3.1",
    "react-dom": "19.3.1",
    typescript: "6.0.3",
  },
  install: "own",
  manifest: { type: "module" },
  build: [["make-tables.mjs"], ["node_modules/next/dist/bin/next", "build"]],
  entry: "node_modules/next/dist/bin/next",
  args: ["start", "-p", "{port}"],
  env: { PAYLOAD_SECRET: "a secret", DATABASE_URI: "file:./payload.db", NEXT_TELEMETRY_DISABLED: "1" },
  requests: [
    { path: "/api/notes" },
    { path: "/api/notes/9" },
    { path: "/api/users/me" },
    { path: "/admin" },
    { path: "/api/none" },
  ],
  volatile: [/\d+:\\+"[A-Za-z0-9+/=\\]{40,}/g],
  loadPath: "/api/notes",
  note: "its SQLite file is shared by the instances",
};
