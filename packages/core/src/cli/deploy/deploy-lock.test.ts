import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { DeployLock, holdersIn } from "./deploy-lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lb-dl-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

const ended = () => spawnSync("true").pid;

function take(deploy: string): DeployLock {
  const taken = DeployLock.take(folder, deploy);
  if ("holder" in taken) throw new Error("it is held");
  return taken.lock;
}

test("is one's until it is released", () => {
  const lock = take("a");
  expect(DeployLock.take(folder, "b")).toMatchObject({ holder: { pid: process.pid, deploy: "a" } });
  lock.release();
  take("b").release();
  expect(readdirSync(folder)).toEqual([]);
});

test("a dead holder holds nothing, nor does another process of its number", () => {
  const files = [ended(), process.pid].map((pid) => {
    const path = join(folder, `${pid}-x.lock`);
    writeFileSync(path, JSON.stringify({ pid, began: "1", deploy: "old" }));
    return path;
  });
  expect(files).toHaveLength(2);
  take("new");
  expect(holdersIn(folder)).toEqual([expect.objectContaining({ deploy: "new" })]);
});

test("a step that is left holds it on", () => {
  const lock = take("old");
  // A group that lives: the one of this process.
  const group = Number(
    readFileSync("/proc/self/stat", "latin1")
      .replace(/^.*\) /s, "")
      .split(" ")[2],
  );
  lock.runs(group);
  const [name] = readdirSync(folder);
  const dead = JSON.parse(readFileSync(join(folder, name!), "utf8")) as object;
  writeFileSync(join(folder, name!), JSON.stringify({ ...dead, pid: ended() }));
  expect(holdersIn(folder)).toEqual([expect.objectContaining({ deploy: "old", group })]);
});

test("one that is being written is held by whom its name says", () => {
  writeFileSync(join(folder, `${process.pid}-x.lock`), "");
  writeFileSync(join(folder, `${ended()}-x.lock`), "");
  expect(holdersIn(folder)).toEqual([{ pid: process.pid, began: undefined, deploy: "" }]);
});
