import { sqliteAdapter } from "@payloadcms/db-sqlite";
import { buildConfig } from "payload";

export default buildConfig({
  admin: { user: "users" },
  collections: [
    { slug: "users", auth: true, fields: [] },
    { slug: "notes", access: { read: () => true }, fields: [{ name: "text", type: "text" }] },
  ],
  secret: process.env.PAYLOAD_SECRET || "a secret",
  db: sqliteAdapter({ client: { url: process.env.DATABASE_URI || "file:./payload.db" } }),
  typescript: { autoGenerate: false },
});
