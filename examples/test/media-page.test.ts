// lb serve and a film: a browser that seeks asks for the part that it shows, and gets that.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../packages/core/test/support/eventually.ts";
import { freePorts } from "../../packages/core/test/support/free-ports.ts";
import { attended, cli } from "../../packages/core/test/support/shell.ts";
import { launchBrowser } from "./browser.ts";

const seconds = 600;
const bytesPerSecond = 88_200;

/** Ten minutes of silence, 53 MB: no codec is needed that a browser might not have. */
function sound(): Buffer {
  const size = seconds * bytesPerSecond;
  const file = Buffer.alloc(44 + size);
  file.write("RIFF", 0, "latin1");
  file.writeUInt32LE(36 + size, 4);
  file.write("WAVEfmt ", 8, "latin1");
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(bytesPerSecond / 2, 24);
  file.writeUInt32LE(bytesPerSecond, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36, "latin1");
  file.writeUInt32LE(size, 40);
  return file;
}

test("Chromium seeks in a film: ranges are asked for and sent, and no more than that", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lb-media-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "film.wav"), sound());
  writeFileSync(join(folder, "index.html"), "<!doctype html><video src=film.wav preload=metadata></video>");
  const port = await freePorts(1);
  const env = { ...process.env, LB_CONTROL_DIR: join(folder, ".control"), NO_COLOR: "1" };
  const child = spawn(process.execPath, [cli, "serve", folder, "-p", `${port}`], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { said, exited } = attended(child);
  await eventually(() => said().includes("listens on"), { withinMs: 15_000, what: "a server that listens" });

  const browser = await launchBrowser();
  const page = await browser.newPage();
  const ranges: string[] = [];
  page.on("response", (response) => {
    if (response.url().endsWith(".wav")) ranges.push(`${response.status()} ${response.headers()["content-range"]}`);
  });
  await page.goto(`http://127.0.0.1:${port}/`);
  const film = page.locator("video");
  await expect.poll(() => film.evaluate((video: HTMLVideoElement) => video.duration)).toBe(seconds);
  const seek = (to: number) =>
    film.evaluate(async (video: HTMLVideoElement, time) => {
      const there = new Promise((resolve) => video.addEventListener("seeked", resolve, { once: true }));
      video.currentTime = time;
      await there;
      return video.currentTime;
    }, to);
  expect(await seek(550)).toBe(550);
  expect(await seek(200)).toBe(200);
  const starts = ranges.map((range) => Number(/^206 bytes (\d+)-/.exec(range)?.[1]));
  expect(starts[0]).toBe(0);
  // Chromium begins at the megabyte, or so, before what it wants.
  for (const time of [550, 200]) {
    const wanted = time * bytesPerSecond;
    expect(
      starts.some((start) => start > wanted - 3_000_000 && start <= wanted + 44),
      ranges.join("; "),
    ).toBe(true);
  }
  await page.close();
  child.kill("SIGTERM");
  expect(await exited, said()).toBe(0);
});
