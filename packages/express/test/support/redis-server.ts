import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A Redis of the test's own, on a Unix socket; gone after the test. Returns the socket's path, and how to stop it. */
export async function startRedis(): Promise<{ readonly path: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "lb-redis-"));
  const path = join(folder, "redis.sock");
  const args = ["--port", "0", "--unixsocket", path, "--save", "", "--dir", folder];
  const child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<void>((done) => {
    child.once("exit", () => done());
    child.once("error", () => done());
  });
  const stop = async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  onTestFinished(stop);
  let said = "";
  await new Promise<void>((ready, failed) => {
    child.once("error", failed);
    child.once("exit", () => failed(new Error(`redis-server ended:\n${said}`)));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (/ready to accept connections/i.test(said)) ready();
    });
  });
  return { path, stop };
}
