import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { removeAbandoned } from "./abandoned-directories.ts";

/** No process has it: beyond what Linux and macOS number. */
const nobody = 4_194_999;

test("removes what killed clusters left, and nothing that may be in use or is none of ours", async () => {
  const parent = mkdtempSync(join(tmpdir(), "lb-abandoned-"));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  const outside = join(parent, "precious");
  mkdirSync(outside);
  writeFileSync(join(outside, "file"), "");
  const now = Date.now();
  const made = (name: string, mode = 0o700) => {
    const directory = join(parent, name);
    mkdirSync(directory);
    writeFileSync(join(directory, "1.1.sock"), "");
    symlinkSync(outside, join(directory, "link"));
    chmodSync(directory, mode);
    utimesSync(directory, now / 1_000 - 120, now / 1_000 - 120);
    return directory;
  };
  made(`lb-${nobody}-aaaaaa`);
  const young = made(`lb-${nobody}-young1`);
  utimesSync(young, now / 1_000, now / 1_000);
  made(`lb-${process.pid}-living`);
  made(`lb-${nobody}-shared`, 0o755);
  made("lb-test-directory");
  symlinkSync(outside, join(parent, `lb-${nobody}-linked`));
  const served = made(`lb-${nobody}-served`);
  const hub = createServer().listen(join(served, "hub.sock"));
  onTestFinished(() => void hub.close());
  await new Promise((resolve) => hub.once("listening", resolve));
  utimesSync(served, now / 1_000 - 120, now / 1_000 - 120);

  await removeAbandoned(parent, now);
  expect(readdirSync(parent).sort()).toEqual(
    [
      "lb-test-directory",
      `lb-${nobody}-linked`,
      `lb-${nobody}-served`,
      `lb-${nobody}-shared`,
      `lb-${nobody}-young1`,
      `lb-${process.pid}-living`,
      "precious",
    ].sort(),
  );
  expect(readdirSync(outside)).toEqual(["file"]);
  await removeAbandoned(join(parent, "nowhere"), now);
});
