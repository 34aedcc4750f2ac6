import { expect, test } from "vitest";
import { freePorts } from "../../packages/core/test/support/free-ports.ts";
import { launchBrowser } from "./browser.ts";
import { ExampleProcess } from "./example-process.ts";

test("the page shows all four instances answering, and keeps its WebSocket", async () => {
  const port = await freePorts(5);
  const example = new ExampleProcess("quickstart/server.js", { PORT: String(port) });
  await example.says("Ctrl-C stops it.");
  const browser = await launchBrowser();
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
