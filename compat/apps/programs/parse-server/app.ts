import type { App } from "../../app.ts";
import { postgresPackage, postgresWorkspace, startPostgres } from "../../postgres.ts";

const headers = { "x-parse-application-id": "gauntlet", "content-type": "application/json" };

export const app: App = {
  title: "Parse Server (PostgreSQL)",
  packages: { "parse-server": "9.10.0", express: "5.3.0", ...postgresPackage },
  install: "own",
  workspace: postgresWorkspace,
  entry: "server.js",
  service: startPostgres,
  requests: [
    { path: "/parse/health", headers },
    { path: "/parse/classes/Note", headers },
    { path: "/parse/classes/Note/none", headers },
    { path: "/parse/functions/hello", method: "POST", headers, body: '{"name":"ada"}' },
    { path: "/parse/classes/Note" },
  ],
};
