import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { logicalDirectory, logicalPath } from "./logical-directory.ts";

let root: string;
let release: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "lb-ld-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  release = join(root, "releases/1");
  mkdirSync(join(release, "web"), { recursive: true });
  symlinkSync(release, join(root, "current"));
});

test("is what the shell says, if that leads here", () => {
  symlinkSync(release, join(root, "app"));
  expect(logicalDirectory(release, join(root, "app"))).toBe(join(root, "app"));
  expect(logicalDirectory(root, join(root, "app"))).toBe(root);
  expect(logicalDirectory(root, "app")).toBe(root);
});

test("is current where that leads to this release, with whatever is below it", () => {
  expect(logicalDirectory(release, undefined)).toBe(join(root, "current"));
  expect(logicalDirectory(join(release, "web"), join(release, "web"))).toBe(join(release, "web"));
  expect(logicalDirectory(join(release, "web"), undefined)).toBe(join(root, "current/web"));
});

test("is where we are in any other release, and elsewhere", () => {
  mkdirSync(join(root, "releases/2"));
  expect(logicalDirectory(join(root, "releases/2"), undefined)).toBe(join(root, "releases/2"));
  expect(logicalDirectory("/", undefined)).toBe("/");
});

test("paths within it go by way of it, others stay", () => {
  expect(logicalPath("/srv/releases/1/a.js", "/srv/releases/1", "/srv/current")).toBe("/srv/current/a.js");
  expect(logicalPath("/opt/lb.js", "/srv/releases/1", "/srv/current")).toBe("/opt/lb.js");
  expect(logicalPath("/srv/releases/10/a.js", "/srv/releases/1", "/srv/current")).toBe("/srv/releases/10/a.js");
});
