import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { ExampleProcess, freePorts } from "./example-process.ts";

/** The browser that `scripts/prepare-tests.ts` made sure of. */
function browserPath(): string {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const paths = (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)));
  const found = paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error("No Chromium on the PATH: run the tests with `pnpm test`, which finds one.");
  return found;
}

test("the page shows all four instances answering, and keeps its WebSocket", async () => {
  const port = await freePorts(5);
  const example = new ExampleProcess("quickstart/server.js", { PORT: String(port) });
  await example.says("Ctrl-C stops it.");
  const browser = await chromium.launch({
    executablePath: browserPath(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 900, height: 620 } });
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.waitForFunction(() => document.querySelectorAll(".instance").length === 4);
  await page.waitForFunction(() =>
    /[1-9]\d* messages echoed/.test(document.querySelector("#socket-text")?.textContent ?? ""),
  );
  expect(await page.getAttribute("#socket", "data-state")).toBe("open");
  expect(await page.textContent("#total")).toMatch(/^\d+ answered, 0 failed$/);
  if (process.env["SCREENSHOT"] !== undefined) await page.screenshot({ path: process.env["SCREENSHOT"] });
  expect(errors).toEqual([]);
});
