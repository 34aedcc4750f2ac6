import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { onTestFailed, onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";

export const cli = resolve(import.meta.dirname, "../../dist/cli.js");
const packages = resolve(import.meta.dirname, "../../node_modules");

/** A user's shell, in a folder of its own where the packages of this one are installed, and the built command. */
export class Shell {
  readonly folder = mkdtempSync(join(tmpdir(), "lb-cli-"));
  readonly env: NodeJS.ProcessEnv;
  readonly #ran: string[] = [];

  constructor() {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    symlinkSync(packages, join(this.folder, "node_modules"));
    onTestFailed(() => {
      if (this.#ran.length > 0) console.error(`A test failed. It ran:\n${this.#ran.join("\n").slice(-8_000)}`);
    });
    const { PORT: _port, WEB_CONCURRENCY: _concurrency, ...env } = process.env;
    this.env = { ...env, LB_CONTROL_DIR: join(this.folder, "control"), NO_COLOR: "1" };
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Runs a command to its end. */
  run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    return new Promise((done) => {
      const { folder: cwd, env } = this;
      execFile(process.execPath, [cli, ...args], { cwd, env, timeout: 30_000 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : Number((error as { code?: unknown }).code ?? -1);
        this.#ran.push(`$ lb ${args.join(" ")}\n${stdout}${stderr}exit code ${code}`);
        done({ code, stdout, stderr });
      });
    });
  }

  /** Starts a command, and ends it with the test. */
  spawn(...args: string[]): { child: ChildProcess; said: () => string; exited: Promise<number | null> } {
    const { folder: cwd, env } = this;
    return attended(spawn(process.execPath, [cli, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] }));
  }

  /** Starts a cluster, and resolves when it says where it listens. */
  async start(
    ...args: string[]
  ): Promise<{ child: ChildProcess; port: number; exited: Promise<number | null>; said: () => string }> {
    return this.startIn(".", ...args);
  }

  /** The same, in a directory below. */
  async startIn(
    directory: string,
    ...args: string[]
  ): Promise<{ child: ChildProcess; port: number; exited: Promise<number | null>; said: () => string }> {
    const { env } = this;
    const cwd = join(this.folder, directory);
    const { child, said, exited } = attended(
      spawn(process.execPath, [cli, "start", ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] }),
    );
    return { child, port: Number(new URL(await saidUrl({ child, said })).port), exited, said };
  }
}

/** A process, what it says, and its end, which is that of the test at the latest. */
export function attended(child: ChildProcess): {
  child: ChildProcess;
  said: () => string;
  exited: Promise<number | null>;
} {
  let said = "";
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const exited = new Promise<number | null>((done) => child.once("exit", done));
  onTestFailed(() => {
    const end = child.signalCode ?? child.exitCode ?? "runs";
    console.error(`A test failed. ${child.spawnargs.join(" ")} (${end}) said:\n${said.slice(-8_000)}`);
  });
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await exited;
  });
  return { child, said: () => said, exited };
}

/** Where a cluster says that it listens. */
export function saidUrl({ child, said }: { child: ChildProcess; said: () => string }): Promise<string> {
  return eventually(
    () => {
      if (child.exitCode !== null) throw new Error(said());
      return /listens on (http:\/\/127\.0\.0\.1:\d+)/.exec(said())?.[1];
    },
    { withinMs: 20_000, what: "a cluster that listens" },
  );
}
