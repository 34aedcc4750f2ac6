import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { App } from "./app.ts";
import { node } from "./spawned.ts";

export interface NamedApp extends App {
  readonly name: string;
  /** Where its own files are. */
  readonly source: string;
  /** Where it is installed and runs. */
  readonly folder: string;
  /** What it, and those it shares an installation with, are made of to the last package. */
  readonly lock: string;
}

/** Installs a program and builds it, unless that was done before for the same definition. `relock`: with what there is now. */
export function prepare(app: NamedApp, all: readonly NamedApp[], relock: boolean): void {
  const { folder, lock } = app;
  if (app.install === "shared") install(dirname(folder), { manifest: sharedManifest(all), lock, relock });
  const manifest = {
    name: app.name,
    private: true,
    ...app.manifest,
    ...(app.install === "own" ? { dependencies: app.packages } : {}),
  };
  mkdirSync(folder, { recursive: true });
  copy(app, "all");
  if (app.install === "own") install(folder, { manifest, lock, relock, workspace: app.workspace });
  else writeFileSync(join(folder, "package.json"), JSON.stringify(manifest, null, 2));
  build(app);
}

/** Puts back what a run of the program may have changed. */
export function refresh(app: NamedApp): void {
  const { folder } = app;
  for (const path of app.fresh ?? []) rmSync(join(folder, path), { recursive: true, force: true });
  copy(app, app.fresh ?? []);
}

function copy({ source, folder }: NamedApp, which: "all" | readonly string[]): void {
  for (const path of which === "all" ? ["."] : which) {
    if (!existsSync(join(source, path))) continue;
    cpSync(join(source, path), join(folder, path), {
      recursive: true,
      filter: (file) => file !== join(source, "app.ts"),
    });
  }
}

function sharedManifest(apps: readonly NamedApp[]): Readonly<Record<string, unknown>> {
  const dependencies: Record<string, string> = {};
  for (const { name, packages } of apps.filter(({ install }) => install === "shared")) {
    for (const [wanted, version] of Object.entries(packages)) {
      const other = dependencies[wanted];
      if (other !== undefined && other !== version) {
        throw new Error(`${name} wants ${wanted} ${version}, another program ${other}`);
      }
      dependencies[wanted] = version;
    }
  }
  return { name: "gauntlet", private: true, dependencies };
}

interface Installation {
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly lock: string;
  readonly relock: boolean;
  readonly workspace?: readonly string[] | undefined;
}

/** Made anew in this run. */
const relocked = new Set<string>();

function install(folder: string, { manifest, lock, relock, workspace = [] }: Installation): void {
  const text = JSON.stringify(manifest, null, 2);
  const resolves = relock && !relocked.has(lock);
  const locked = !resolves && existsSync(lock) ? readFileSync(lock, "utf8") : "";
  if (locked === "" && !resolves) throw new Error(`${lock} is missing: make it with pnpm gauntlet --relock`);
  const what = [text, ...workspace, locked].join("\n");
  const done = join(folder, ".installed");
  if (existsSync(done) && readFileSync(done, "utf8") === what) return;
  mkdirSync(folder, { recursive: true });
  rmSync(done, { force: true });
  writeFileSync(join(folder, "package.json"), text);
  // A flat node_modules, as npm makes it; a workspace of its own, so that it is no part of ours.
  writeFileSync(
    join(folder, "pnpm-workspace.yaml"),
    ["nodeLinker: hoisted", "strictDepBuilds: false", "autoInstallPeers: true", ...workspace, ""].join("\n"),
  );
  const inFolder = join(folder, "pnpm-lock.yaml");
  if (resolves) rmSync(inFolder, { force: true });
  else writeFileSync(inFolder, locked);
  const frozen = resolves ? "--no-frozen-lockfile" : "--frozen-lockfile";
  run([...pnpm(), "install", frozen, "--prefer-offline", "--loglevel=error"], folder);
  if (!resolves) {
    writeFileSync(done, what);
    return;
  }
  relocked.add(lock);
  cpSync(inFolder, lock);
  writeFileSync(done, [text, ...workspace, readFileSync(lock, "utf8")].join("\n"));
}

function build({ folder, ...app }: NamedApp): void {
  const commands = JSON.stringify([app.build ?? [], app.packages]);
  const done = join(folder, ".built");
  if (app.build === undefined || (existsSync(done) && readFileSync(done, "utf8") === commands)) return;
  for (const command of app.build) run([node, ...command], folder);
  writeFileSync(done, commands);
}

/** The package manager that runs us, else that of this repository by way of npx. */
function pnpm(): readonly string[] {
  const running = process.env["npm_execpath"];
  if (running === undefined || !/pnpm/.test(running)) return ["npx", "-y", "pnpm@12"];
  // It is a script or, since pnpm 12, a program of its own.
  return /\.[cm]?js$/.test(running) ? [node, running] : [running];
}

function run(command: readonly string[], cwd: string): void {
  const { status, stdout, stderr, error } = spawnSync(command[0]!, command.slice(1), {
    cwd,
    encoding: "utf8",
    timeout: 600_000,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      PATH: `${dirname(node)}:${process.env["PATH"]}`,
      CI: "true",
      NODE_ENV: "production",
      NEXT_TELEMETRY_DISABLED: "1",
      ASTRO_TELEMETRY_DISABLED: "1",
      NUXT_TELEMETRY_DISABLED: "1",
    },
  });
  if (status === 0) return;
  const said = `${stdout}\n${stderr}`.split("\n").filter((line) => line.trim() !== "");
  throw new Error(`${command.join(" ")}: ${error?.message ?? `exit code ${status}`}\n${said.slice(-30).join("\n")}`);
}
