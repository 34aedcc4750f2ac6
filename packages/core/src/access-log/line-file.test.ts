// Lines to real files and pipes, which are full, moved away, removed, or read by nobody (FAULTS 67).
import { execFileSync, spawn } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../model/clock.ts";
import { LineFile } from "./line-file.ts";

const folder = mkdtempSync(join(tmpdir(), "lb-lines-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const eventually = (holds: () => void) => vi.waitFor(holds, { timeout: 20_000, interval: 10 });

let files = 0;

function lineFile(to: string | number = join(folder, `${++files}.log`), maxWaitingBytes?: number) {
  const lost: [number, string | undefined][] = [];
  const file = new LineFile({
    to,
    clock: systemClock,
    dropped: (lines, error) => lost.push([lines, (error as NodeJS.ErrnoException | undefined)?.code]),
    ...(maxWaitingBytes !== undefined && { maxWaitingBytes }),
  });
  onTestFinished(() => file.close());
  return { file, lost, path: String(to), text: () => readFileSync(String(to), "utf8") };
}

test("all lines come, in order, and the file is not for everybody", async () => {
  const { file, text, path } = lineFile();
  await file.open();
  const lines = Array.from({ length: 5_000 }, (_, at) => `${at} ${"x".repeat(50)}`);
  for (const line of lines) file.add(line);
  await file.close();
  expect(text()).toBe(`${lines.join("\n")}\n`);
  expect(file.status).toEqual({ written: 5_000, dropped: 0, waiting: 0, error: undefined });
  expect(statSync(path).mode & 0o007).toBe(0);
});

test("a file that was moved away, or removed, is opened anew by itself, and at once when told (FAULTS 67)", async () => {
  const { file, text, path } = lineFile();
  await file.open();
  file.add("one");
  await eventually(() => expect(text()).toBe("one\n"));
  renameSync(path, `${path}.1`);
  file.reopen();
  file.add("two");
  await eventually(() => expect(text()).toBe("two\n"));
  rmSync(path);
  await eventually(() => {
    file.add("three");
    expect(text()).toMatch(/^(three\n)+$/);
  });
  await file.close();
  expect(readFileSync(`${path}.1`, "utf8")).toBe("one\n");
  expect(file.status.dropped).toBe(0);
});

test("a full disk costs what there is no room for, which is counted, and nothing else (FAULTS 67)", async () => {
  const { file, lost } = lineFile("/dev/full", 1_000);
  await file.open();
  for (let at = 0; at < 30; at++) file.add("x".repeat(99));
  expect(lost.length).toBe(20);
  await eventually(() => expect(file.status.error).toMatchObject({ code: "ENOSPC" }));
  file.add("x".repeat(99));
  expect([lost.at(-1), file.status.waiting, file.status.dropped]).toEqual([[1, "ENOSPC"], 10, 21]);
  await file.close();
  expect(file.status).toMatchObject({ written: 0, dropped: 31, waiting: 0 });
});

test("a pipe without a reader holds nobody, and one that comes gets what waits (FAULTS 67)", async () => {
  const path = join(folder, "pipe");
  execFileSync("mkfifo", [path]);
  const { file, lost } = lineFile(path);
  await file.open();
  file.add("before");
  await eventually(() => expect(file.status.error).toMatchObject({ code: "ENXIO" }));
  let read = "";
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  await eventually(() => expect(file.status).toMatchObject({ written: 1, error: undefined }));
  // More than a pipe holds: the reader is behind for a while.
  for (let at = 0; at < 3_000; at++) file.add("x".repeat(99));
  await eventually(() => expect(file.status.error).toMatchObject({ code: "EAGAIN" }));
  const cat = spawn("cat", [path]);
  onTestFinished(() => void cat.kill());
  cat.stdout.setEncoding("utf8").on("data", (text: string) => {
    read += text;
  });
  await eventually(() => expect(read.length).toBe("before\n".length + 3_000 * 100));
  closeSync(reader);
  expect(lost).toEqual([]);
});

test("a path that cannot be is told before anything is written", async () => {
  await expect(lineFile(join(folder, "none", "file")).file.open()).rejects.toMatchObject({ code: "ENOENT" });
});
