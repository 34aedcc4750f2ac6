import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** An example, run as a user runs it. It and its workers are gone when the test ends. */
export class ExampleProcess {
  stdout = "";
  stderr = "";
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;

  constructor(entry: string, env: Readonly<Record<string, string>>) {
    const path = fileURLToPath(new URL(`../${entry}`, import.meta.url));
    this.child = spawn(process.execPath, [path], {
      env: { ...process.env, NODE_OPTIONS: "", ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.exited = new Promise((resolve) => this.child.once("exit", resolve));
    onTestFinished(async () => {
      try {
        process.kill(-this.child.pid!, "SIGKILL");
      } catch {
        // The whole group has ended already.
      }
      await this.exited;
    });
  }

  /** Until standard output contains the text. */
  async says(text: string, withinMs = 20_000): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!this.stdout.includes(text)) {
      const ended = this.child.exitCode !== null || this.child.signalCode !== null;
      if (ended || performance.now() > deadline) {
        throw new Error(`the example did not say ${JSON.stringify(text)}:\n${this.stdout}\n${this.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
