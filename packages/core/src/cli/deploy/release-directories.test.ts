import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { ReleaseDirectories } from "./release-directories.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lb-rd-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

const inDir = (path: string) => join(dir, path);

test("current leads to a release, and to another in one move", () => {
  const releases = new ReleaseDirectories(dir, []);
  expect([releases.current, releases.ids]).toEqual([undefined, []]);
  for (const id of ["1", "2"]) releases.make(id);
  releases.lead("1");
  releases.lead("2");
  expect([releases.current, readlinkSync(inDir("current"))]).toEqual(["2", "releases/2"]);
  expect(readdirSync(dir).sort()).toEqual(["current", "releases"]);
});

test("a current that is no link to a release is left alone", () => {
  const releases = new ReleaseDirectories(dir, []);
  mkdirSync(inDir("current"));
  expect(() => releases.current).toThrow(/is no link/);
  rmSync(inDir("current"), { recursive: true });
  symlinkSync("/", inDir("current"));
  expect(() => releases.current).toThrow(/leads to \/, which is no release/);
});

test("what is shared is linked in place of what a release brings", () => {
  const releases = new ReleaseDirectories(dir, [".env", "storage/uploads/"]);
  expect(() => releases.checkShared()).toThrow(/shared\/\.env is not there/);
  mkdirSync(inDir("shared"));
  writeFileSync(inDir("shared/.env"), "A=1");
  releases.checkShared();
  releases.make("1");
  mkdirSync(inDir("releases/1/storage/uploads"), { recursive: true });
  writeFileSync(inDir("releases/1/.env"), "A=2");
  releases.linkShared("1");
  writeFileSync(inDir("releases/1/storage/uploads/cat"), "");
  expect(readFileSync(inDir("releases/1/.env"), "utf8")).toBe("A=1");
  expect(existsSync(inDir("shared/storage/uploads/cat"))).toBe(true);
  releases.remove("1");
  expect(existsSync(inDir("shared/storage/uploads/cat"))).toBe(true);
});

test("the oldest go, and those that failed, but for those that are needed", () => {
  const releases = new ReleaseDirectories(dir, []);
  for (const id of ["1", "2", "3", "4", "5", "6"]) releases.make(id);
  expect(releases.prune({ keep: 2, needed: new Set(["1"]), failed: new Set(["5"]) })).toEqual(["2", "3", "5"]);
  expect(releases.ids).toEqual(["1", "4", "6"]);
});

test("knows which release a path is in", () => {
  const releases = new ReleaseDirectories(dir, []);
  releases.make("7");
  mkdirSync(inDir("releases/7/web"));
  expect(
    ["releases/7/web", "releases/7", "releases", ".", "gone"].map((path) => releases.holding(inDir(path))),
  ).toEqual(["7", "7", undefined, undefined, undefined]);
});
