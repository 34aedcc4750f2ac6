import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { claimPidFile, ownerOf } from "./pid-file.ts";
import { isRunning } from "./process-state.ts";
import { fileName, stateDirectory } from "./state-directory.ts";

let file: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "lb-pid-"));
  file = join(folder, "shop.pid");
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

function sleeping(command: string, ...args: string[]) {
  const child = spawn(command, args, { stdio: "ignore" });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  return child.pid!;
}

test("is written, and not over that of a program of Node.js that runs", () => {
  claimPidFile(file);
  expect(readFileSync(file, "utf8")).toBe(`${process.pid}\n`);
  const pid = sleeping(process.execPath, "-e", "setInterval(() => {}, 1000)");
  writeFileSync(file, `${pid}\n`);
  expect(ownerOf(file)).toBe(pid);
  expect(() => claimPidFile(file)).toThrow(`that of process ${pid}, which runs`);
  expect(readFileSync(file, "utf8")).toBe(`${pid}\n`);
});

test.each([
  ["a process that has ended", () => String(spawnSync("true").pid)],
  ["another program, which has the number by now", () => String(sleeping("sleep", "60"))],
  ["nothing", () => ""],
  ["what is no number", () => "12 or so"],
])("one that names %s is stale", async (_, content) => {
  writeFileSync(file, content());
  // Until it is that program, a new process is still this one.
  await expect.poll(() => ownerOf(file)).toBeUndefined();
  claimPidFile(file);
  expect(readFileSync(file, "utf8")).toBe(`${process.pid}\n`);
});

test("where it cannot be written, that is said", () => {
  expect(() => claimPidFile("/proc/none/shop.pid")).toThrow(/PID file .* cannot be written/);
});

test("one that has ended and waits for its parent does not run", async () => {
  // A shell that becomes a program which never asks for the children that it had.
  const parent = spawn("sh", ["-c", "true & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const [pid] = (await once(parent.stdout, "data")) as [Buffer];
  await expect.poll(() => isRunning(Number(String(pid)))).toBe(false);
});

test("names of clusters are names of files, wherever they point", () => {
  expect([fileName("shop"), fileName(".."), fileName("a/b"), fileName("ü")]).toEqual([
    "shop",
    "%2E.",
    "a%2Fb",
    "%C3%BC",
  ]);
  const long = [1, 2].map((last) => fileName(`интернет-магазинчик-${last}`));
  expect(new Set(long).size).toBe(2);
  for (const name of [...long, fileName("x".repeat(100))]) expect(name.length).toBe(100);
  expect(fileName("\ud800")).toBe("%EF%BF%BD");
  expect(stateDirectory({ XDG_STATE_HOME: "/var/state" })).toBe("/var/state/lb");
  expect(stateDirectory({ XDG_STATE_HOME: "relative" })).toMatch(/\.local\/state\/lb$/);
});
