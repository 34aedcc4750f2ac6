// Real files, by a clock that is set: what is put aside, what of it is kept, and what is done where that cannot be (FAULTS 67).
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../model/clock.ts";
import type { RotationOptions } from "../options/access-log-options.ts";
import { FileRotation } from "./file-rotation.ts";
import { LineFile } from "./line-file.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lb-rotation-"));
  path = join(folder, "access.log");
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

const noon = Date.UTC(2026, 10, 27, 12);
const dayMs = 86_400_000;

async function opened(settings: RotationOptions, wall = { now: noon }) {
  const rotation = new FileRotation({
    path,
    settings: { maxBytes: 1e9, files: 5, every: false, gzip: false, ...settings },
    clock: systemClock,
    wallClock: () => wall.now,
  });
  const file = new LineFile({ to: path, clock: systemClock, dropped: () => {}, rotation });
  onTestFinished(() => file.close());
  await file.open();
  let lines = 0;
  const add = async (line: string) => {
    file.add(line);
    lines += 1;
    await expect.poll(() => file.status.written).toBe(lines);
  };
  return { file, add, wall };
}

const names = () => readdirSync(folder).sort();
const read = (name: string) => readFileSync(join(folder, name), "utf8");

test("a file with enough in it is put aside, so many are kept, and lines are whole and in order", async () => {
  const { add } = await opened({ maxBytes: 100, files: 3 });
  for (let at = 0; at < 9; at++) await add(`${at} ${"x".repeat(60)}`);
  expect(names()).toEqual(["access.log", "access.log.1", "access.log.2"]);
  const kept = ["access.log.2", "access.log.1", "access.log"].flatMap((name) => read(name).split("\n").slice(0, -1));
  expect(kept.map((line) => Number.parseInt(line, 10))).toEqual([4, 5, 6, 7, 8]);
});

test("one alone is begun anew", async () => {
  const { add } = await opened({ maxBytes: 100, files: 1 });
  for (let at = 0; at < 3; at++) await add(`${at} ${"x".repeat(60)}`);
  expect([names(), read("access.log").split(" ")[0]]).toEqual([["access.log"], "2"]);
});

test("those that are put aside are compressed, and nothing is left half done", async () => {
  const { add } = await opened({ maxBytes: 100, files: 3, gzip: true });
  for (let at = 0; at < 7; at++) {
    await add(`${at} ${"x".repeat(60)}`);
    await expect.poll(() => names().filter((name) => !/^access\.log(\.\d\.gz)?$/.test(name))).toEqual([]);
  }
  expect(names()).toEqual(["access.log", "access.log.1.gz", "access.log.2.gz"]);
  const text = (name: string) => gunzipSync(readFileSync(join(folder, name))).toString();
  expect([text("access.log.2.gz"), text("access.log.1.gz")].map((lines) => lines.match(/^\d/gm))).toEqual([
    ["2", "3"],
    ["4", "5"],
  ]);
});

test("each day has a file, also where the last one is of a process before", async () => {
  writeFileSync(path, "old\n");
  utimesSync(path, new Date(noon - dayMs), new Date(noon - dayMs));
  const { add, wall } = await opened({ every: "day" });
  await add("today");
  wall.now += dayMs / 2 - 1;
  await add("tonight");
  expect([read("access.log.1"), read("access.log")]).toEqual(["old\n", "today\ntonight\n"]);
  wall.now += 1;
  await add("tomorrow");
  expect([read("access.log.2"), read("access.log.1"), read("access.log")]).toEqual([
    "old\n",
    "today\ntonight\n",
    "tomorrow\n",
  ]);
});

test("where that cannot be, lines go on into the same file, and it is told (FAULTS 67)", async () => {
  mkdirSync(join(folder, "access.log.1", "somebody's"), { recursive: true });
  const { file, add } = await opened({ maxBytes: 10, files: 2 });
  for (const line of ["one of many", "two of many", "three of many"]) await add(line);
  expect(read("access.log")).toBe("one of many\ntwo of many\nthree of many\n");
  expect(file.status).toMatchObject({ dropped: 0, error: { code: "ERR_FS_EISDIR" } });
});
