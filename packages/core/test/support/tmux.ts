import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFailed, onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";

const run = promisify(execFile);

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A real terminal, in which a shell runs: what it shows can be read, and keys be pressed. */
export class Terminal {
  readonly #socket: string;
  #shown = "";

  private constructor(socket: string) {
    this.#socket = socket;
    onTestFailed(() => console.error(`A test failed. The terminal showed:\n${this.#shown}`));
  }

  static async open({ columns, rows, cwd, env }: TerminalOptions): Promise<Terminal> {
    const folder = mkdtempSync(join(tmpdir(), "lb-tmux-"));
    const terminal = new Terminal(join(folder, "socket"));
    onTestFinished(async () => {
      await terminal.#tmux("kill-server").catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    });
    const size = ["-x", String(columns), "-y", String(rows)];
    // So that the shell is seen to be there, and to be back.
    const variables = { ...env, PS1: "ready> " };
    const shell = ["env", "-i", ...Object.entries(variables).map(([name, value]) => `${name}=${value}`), "sh"];
    await run("tmux", ["-u", "-f", "/dev/null", "-S", terminal.#socket, "new-session", "-d", ...size, ...shell], {
      cwd,
    });
    await terminal.shows(/^ready> $/m);
    return terminal;
  }

  /** Keys by tmux's names, or text. */
  async type(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#tmux("send-keys", "--", key);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  async screen(): Promise<string> {
    this.#shown = await this.#tmux("capture-pane", "-p", "-N");
    return this.#shown;
  }

  /** Of the pane: whether the cursor is to be seen, and whether it is the other screen that is shown. */
  async state(): Promise<{ readonly cursor: boolean; readonly alternate: boolean; readonly wrap: boolean }> {
    const format = "#{cursor_flag} #{alternate_on} #{wrap_flag}";
    const [cursor, alternate, wrap] = (await this.#tmux("display-message", "-p", format)).trim().split(" ");
    return { cursor: cursor === "1", alternate: alternate === "1", wrap: wrap === "1" };
  }

  /** Resolves with the screen when it shows this. */
  shows(what: RegExp): Promise<string> {
    return eventually(
      async () => {
        const screen = await this.screen();
        return what.test(screen) && screen;
      },
      { everyMs: 100, what: () => `${what} on the terminal, which shows:\n${this.#shown}` },
    );
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    return (await run("tmux", ["-S", this.#socket, ...args])).stdout;
  }
}
