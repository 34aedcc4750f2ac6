import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import type { Mode } from "./app.ts";
import type { NamedApp } from "./installation.ts";
import { inheritedEnvironment, lb, node, Spawned } from "./spawned.ts";

const commandTimeoutMs = 90_000;

/** Behind those of the instances, in a run of free ports. */
const otherPort = 10;

/** Each look costs a process: there is one when something was written, after this pause, or after so long. */
const pauseMs = 250;
const newsMs = 1_000;

export interface Instance {
  readonly id: number;
  readonly pid: number | null;
  readonly state: string;
  readonly requests: number;
}

interface CommandResult {
  readonly exitCode: number | null;
  readonly output: string;
}

/** A program that runs under `lb start`, and the other commands of `lb` for it. */
export class LbCluster {
  readonly process: Spawned;
  #controlFolder = mkdtempSync(join(tmpdir(), "lb-gauntlet-"));

  constructor(app: NamedApp, { mode, port, env }: { mode: Mode; port: number; env: Record<string, string> }) {
    const given = app.lbArgs ?? app.args ?? [];
    const args = given.map((arg) => arg.replaceAll("{port}", `${port}`).replaceAll("{other}", `${port + otherPort}`));
    const flags = ["-i", "3", "-p", String(port), "--mode", mode, ...(app.flags ?? [])];
    this.process = new Spawned([node, lb, "start", app.entry, ...flags, ...(args.length > 0 ? ["--", ...args] : [])], {
      cwd: app.folder,
      env: { ...env, LB_CONTROL_DIR: this.#controlFolder },
    });
  }

  /** Waits until `instances` are ready. Rejects with what was written if that does not come about. */
  async ready(timeoutMs: number, instances = 3): Promise<readonly Instance[]> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const { output } = this.process;
      if (this.process.exit !== undefined) {
        throw new Error(`ended with ${this.process.exit}: ${this.process.lastLines(6)}`);
      }
      const found = await this.instances();
      if (found.filter(({ state }) => state === "ready").length >= instances) return found;
      if (performance.now() > deadline) {
        throw new Error(`not ready after ${timeoutMs / 1_000} s: ${this.process.lastLines(6)}`);
      }
      await this.#news(output);
    }
  }

  async #news(before: string): Promise<void> {
    await after(pauseMs);
    const until = performance.now() + newsMs - pauseMs;
    const { process } = this;
    while (process.output === before && process.exit === undefined && performance.now() < until) await after(25);
  }

  /** None while it does not answer yet. */
  async instances(): Promise<readonly Instance[]> {
    const { exitCode, output } = await this.command("status", "--json");
    if (exitCode !== 0) return [];
    return (JSON.parse(output) as { instances: readonly Instance[] }).instances;
  }

  command(...args: readonly string[]): Promise<CommandResult> {
    return new Promise((resolve) => {
      const child = spawn(node, [lb, ...args], {
        env: { ...inheritedEnvironment(), LB_CONTROL_DIR: this.#controlFolder },
        stdio: ["ignore", "pipe", "pipe"],
        timeout: commandTimeoutMs,
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8");
        stream.on("data", (text: string) => {
          output += text;
        });
      }
      child.once("close", (exitCode) => resolve({ exitCode, output }));
    });
  }

  discard(): void {
    rmSync(this.#controlFolder, { recursive: true, force: true });
  }
}
