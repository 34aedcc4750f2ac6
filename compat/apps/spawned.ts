import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { commandOf, marker, processesOf } from "./process-tree.ts";

/** The Node.js that the workspace pins. */
export const node: string = process.execPath;

/** The command line of `lb`, as built. */
export const lb: string = createRequire(import.meta.url)
  .resolve("../../packages/core/package.json")
  .replace(/package\.json$/, "dist/cli.js");

const maxOutputChars = 200_000;

const running = new Set<Spawned>();

// Whoever interrupts a run leaves nothing behind either.
process.once("exit", () => {
  for (const { tree } of running) for (const pid of processesOf(tree)) kill(pid);
});

/** A program that was started, with all that it starts itself. */
export class Spawned {
  readonly tree: string = randomUUID();
  readonly exited: Promise<number | NodeJS.Signals>;
  #child: ChildProcess;
  #output = "";
  #exit: number | NodeJS.Signals | undefined;

  constructor(command: readonly string[], { cwd, env }: { cwd: string; env: Readonly<Record<string, string>> }) {
    this.#child = spawn(command[0]!, command.slice(1), {
      cwd,
      env: { ...inheritedEnvironment(), ...env, [marker]: this.tree },
      stdio: ["ignore", "pipe", "pipe"],
      // A session of its own, as under systemd.
      detached: true,
    });
    running.add(this);
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-maxOutputChars);
      });
    }
    this.exited = new Promise((resolve) => {
      const settle = (how: number | NodeJS.Signals) => {
        this.#exit = how;
        resolve(how);
      };
      this.#child.once("error", () => settle(127));
      this.#child.once("exit", (code, signal) => settle(code ?? signal!));
    });
  }

  get exit(): number | NodeJS.Signals | undefined {
    return this.#exit;
  }

  /** All that it has written so far, to standard output and error. */
  get output(): string {
    return this.#output;
  }

  lastLines(count: number): string {
    const lines = this.#output.split("\n").filter((line) => line.trim() !== "");
    return lines.slice(-count).join(" | ");
  }

  processes(): readonly number[] {
    return processesOf(this.tree);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** How it ended within that time, or `undefined`. */
  async exitWithin(ms: number): Promise<number | NodeJS.Signals | undefined> {
    const timer = new AbortController();
    try {
      return await Promise.race([this.exited, after(ms, undefined, { signal: timer.signal })]);
    } finally {
      timer.abort();
    }
  }

  /** Whoever of the tree is still there after a moment; then they are killed. */
  async sweep(graceMs: number): Promise<readonly string[]> {
    const deadline = performance.now() + graceMs;
    while (this.processes().length > 0 && performance.now() < deadline) await after(50);
    const left = this.processes().map((pid) => `${pid} ${commandOf(pid)}`);
    while (this.processes().length > 0) {
      for (const pid of this.processes()) kill(pid);
      await after(20);
    }
    running.delete(this);
    return left;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

/** What a user's shell has, without what package managers and test runners add; but compiled code is worth keeping. */
export function inheritedEnvironment(): Record<string, string> {
  const kept = ["HOME", "USER", "LANG", "TERM", "TMPDIR", "SHELL", "LOGNAME", "TZ", "NODE_COMPILE_CACHE"];
  const found = kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return { ...Object.fromEntries(found), PATH: `${dirname(node)}:${process.env["PATH"]}` };
}
