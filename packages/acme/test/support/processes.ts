import { type ChildProcess, spawn } from "node:child_process";
import { onTestFinished } from "vitest";

export interface Started {
  readonly child: ChildProcess;
  /** Resolves when it has ended. */
  stop(): Promise<void>;
}

/** Runs a program until the test ends; resolves when it has written `ready`. */
export async function startProgram(
  command: string,
  args: readonly string[],
  { ready, env = {} }: { readonly ready: RegExp; readonly env?: Readonly<Record<string, string>> },
): Promise<Started> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise<void>((done) => {
    child.once("exit", () => done());
    child.once("error", () => done());
  });
  const stop = () => {
    child.kill("SIGKILL");
    return exited;
  };
  onTestFinished(stop);
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`${command} ended:\n${said}`)));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        if (said.length < 100_000) said += text;
        if (ready.test(said)) resolve();
      });
    }
  });
  return { child, stop };
}
