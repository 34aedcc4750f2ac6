import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import {
  checkControlDirectory,
  controlDirectories,
  controlDirectory,
  controlPath,
  freeName,
  listControls,
  listedName,
  openControlDirectory,
} from "./control-directory.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lb-cd-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});
const mode = (path: string) => statSync(path).mode & 0o7777;

describe("the control directory", () => {
  test("is asked for by a variable, or is the user's own; a user without a name has one too", () => {
    vi.spyOn(process, "getuid").mockReturnValue(12_345);
    onTestFinished(() => void vi.restoreAllMocks());
    expect(controlDirectory({ LB_CONTROL_DIR: "/run/shop", XDG_RUNTIME_DIR: "/run/user/1" })).toBe("/run/shop");
    expect(controlDirectory({ LB_CONTROL_DIR: "", XDG_RUNTIME_DIR: "/run/user/1" })).toBe("/run/user/1/lb");
    expect(controlDirectory({})).toBe(join(tmpdir(), "lb-12345"));
  });

  test("whoever has a session finds what was started without one, and the other way round", () => {
    vi.spyOn(process, "getuid").mockReturnValue(12_345);
    onTestFinished(() => void vi.restoreAllMocks());
    const usual = join(tmpdir(), "lb-12345");
    expect(controlDirectories({ LB_CONTROL_DIR: "/run/shop" })).toEqual(["/run/shop"]);
    expect(controlDirectories({})).toEqual([usual, "/run/user/12345/lb"]);
    expect(controlDirectories({ XDG_RUNTIME_DIR: "/run/user/12345" })).toEqual(["/run/user/12345/lb", usual]);
  });

  test("is made for its user alone", () => {
    const directory = join(folder, "new");
    openControlDirectory(directory);
    openControlDirectory(directory);
    expect(mode(directory)).toBe(0o700);
  });

  test("keeps the mode that it has: it may be one that others need", () => {
    chmodSync(folder, 0o755);
    openControlDirectory(folder);
    expect(mode(folder)).toBe(0o755);
  });

  test("is refused where others may put sockets of their own", () => {
    const refused = (path: string) => expect(() => openControlDirectory(path));
    chmodSync(folder, 0o777);
    refused(folder).toThrow(/others may write in it \(mode 0777\).*LB_CONTROL_DIR/);
    expect(mode(folder)).toBe(0o777);
    chmodSync(folder, 0o700);
    mkdirSync(join(folder, "real"));
    symlinkSync(join(folder, "real"), join(folder, "link"));
    refused(join(folder, "link")).toThrow(/symbolic link/);
    writeFileSync(join(folder, "file"), "");
    refused(join(folder, "file")).toThrow(/no directory/);
    vi.spyOn(process, "getuid").mockReturnValue(12_345);
    onTestFinished(() => void vi.restoreAllMocks());
    expect(() => checkControlDirectory(folder)).toThrow(
      /belongs to the user with the id \d+, not to this one \(12345\)/,
    );
  });
});

test("lists the sockets at which somebody listens, and removes the others, whatever process has their number now", async () => {
  const served = controlPath(folder, "a shop/2", 77);
  const server = createServer().listen(served);
  onTestFinished(() => void server.close());
  const abandoned = controlPath(folder, "old", process.pid);
  writeFileSync(abandoned, "");
  utimesSync(abandoned, 1, 1);
  // Whoever made it may be about to listen: the two are two system calls.
  const young = controlPath(folder, "young", process.pid);
  writeFileSync(young, "");
  writeFileSync(join(folder, "notes.txt"), "");
  expect(await listControls(folder)).toEqual([{ name: "a shop/2", pid: 77, path: served }]);
  expect([existsSync(abandoned), existsSync(young)]).toEqual([false, true]);
  expect(existsSync(join(folder, "notes.txt"))).toBe(true);
});

test("a second cluster of a name is numbered", () => {
  const running = (...names: string[]) => names.map((name) => ({ name, pid: 1, path: "" }));
  expect(freeName("shop", running("other"))).toBe("shop");
  expect(freeName("shop", running("shop"))).toBe("shop-2");
  expect(freeName("shop", running("shop-2", "shop", "shop-4"))).toBe("shop-3");
  const long = "интернет-магазинчик";
  const first = listedName(long);
  expect(long.startsWith(first)).toBe(true);
  expect(first.length).toBeGreaterThan(5);
  const second = freeName(long, running(first));
  expect([listedName(second), second.endsWith("-2")]).toEqual([second, true]);
  expect(freeName(long, running(first, second)).endsWith("-3")).toBe(true);
  expect(listedName("a".repeat(60))).toBe("a".repeat(48));
});
