import { execFile } from "node:child_process";
import type { Commit } from "./deploy-record.ts";

const patienceMs = 5_000;

/** What is checked out there; null: it is no working copy of git, or git is not here. */
export function commitIn(directory: string): Promise<Commit | null> {
  return new Promise((resolve) => {
    const args = ["-C", directory, "log", "-1", "--format=%H %s"];
    execFile("git", args, { timeout: patienceMs, maxBuffer: 65_536 }, (error, stdout) => {
      const [, hash, subject] = /^([0-9a-f]{40,64}) (.*)/.exec(stdout) ?? [];
      resolve(error !== null || hash === undefined ? null : { hash, subject: subject! });
    });
  });
}
