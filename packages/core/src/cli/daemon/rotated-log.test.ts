import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../model/clock.ts";
import { lastLines, newLines } from "./log-tail.ts";
import { RotatedLog } from "./rotated-log.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lb-log-"));
  path = join(folder, "shop.log");
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

async function opened(maxBytes: number, files: number): Promise<RotatedLog> {
  const log = new RotatedLog({ path, maxBytes, files, clock: systemClock });
  await log.open();
  onTestFinished(() => log.close());
  return log;
}

/** Files that were moved, and full disks, are looked at once a second. */
const slow = { timeout: 15_000 };

const allOf = (of: string) => readdirSync(of).map(read).join("");
const read = (name: string) => readFileSync(join(folder, name), "utf8");

describe("a log file", () => {
  test("is put aside when it is long, of which so many are kept; no line is lost or cut", async () => {
    const log = await opened(190, 3);
    for (let n = 10; n < 22; n += 1) {
      log.line(`${n} ${"x".repeat(60)}`);
      await expect.poll(() => allOf(folder)).toContain(`${n} x`);
    }
    await log.close();
    expect(readdirSync(folder).sort()).toEqual(["shop.log", "shop.log.1", "shop.log.2"]);
    // A file has three lines.
    const kept = (await lastLines(path, 1_000)).map((line) => Number.parseInt(line, 10));
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, at) => 22 - kept.length + at));
    expect(kept.length).toBeGreaterThanOrEqual(2 * 3);
    expect(kept.length).toBeLessThanOrEqual(3 * 3);
    expect(await lastLines(path, 5)).toHaveLength(5);
  });

  test("that somebody else renames or removes is made anew (FAULTS 67)", async () => {
    const log = await opened(1_000_000, 3);
    log.line("one");
    await expect.poll(() => read("shop.log")).toBe("one\n");
    renameSync(path, `${path}.elsewhere`);
    await expect
      .poll(() => {
        log.line("two");
        return readdirSync(folder);
      }, slow)
      .toContain("shop.log");
    await expect.poll(() => read("shop.log")).toContain("two\n");
  });

  test("on a full disk loses lines, and says so when there is room again; nobody waits (FAULTS 67)", async () => {
    symlinkSync("/dev/full", path);
    const log = await opened(100_000_000, 3);
    const line = "x".repeat(9_999);
    for (let n = 0; n < 500; n += 1) log.line(line);
    unlinkSync(path);
    await expect
      .poll(() => {
        log.line("again");
        return readdirSync(folder).includes("shop.log") ? read("shop.log") : "";
      }, slow)
      .toMatch(/lb: \d+ lines could not be written( \(ENOSPC.*\))?\nagain\n/);
  });
});

test("new lines are followed over a rotation, and to the end", async () => {
  const log = await opened(190, 3);
  log.line("before");
  await expect.poll(() => read("shop.log")).toBe("before\n");
  let goesOn = true;
  const seen: string[] = [];
  const following = (async () => {
    for await (const line of newLines(path, () => goesOn)) seen.push(line);
  })();
  for (let n = 0; n < 8; n += 1) {
    log.line(`${n} ${"x".repeat(50)}`);
    await expect.poll(() => seen.length).toBe(n + 1);
  }
  goesOn = false;
  await following;
  expect(seen.map((line) => Number.parseInt(line, 10))).toEqual(Array.from({ length: 8 }, (_, n) => n));
});

test("lines are found from the end, of long files and of lines in several octets", async () => {
  const log = await opened(100_000_000, 1);
  for (let n = 0; n < 5_000; n += 1) log.line(`${n} ${"ü漢".repeat(n % 40)}`);
  await log.close();
  const found = await lastLines(path, 3_000, 0, (line) => Number.parseInt(line, 10) % 2 === 0);
  expect(found).toHaveLength(2_500);
  expect(found[0]).toBe("0 ");
  expect(found[19]).toBe(`38 ${"ü漢".repeat(38)}`);
  expect(await lastLines(join(folder, "none.log"), 10)).toEqual([]);
  expect(await lastLines(path, 0)).toEqual([]);
});
