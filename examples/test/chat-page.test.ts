import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { freePorts } from "../../packages/core/test/support/free-ports.ts";
import { launchBrowser } from "./browser.ts";
import { ExampleProcess } from "./example-process.ts";

const instanceOf = (page: Page) => page.getAttribute("#served", "data-instance");
const said = (page: Page) => page.locator("#said li:not(.note)").allTextContents();
const present = (page: Page) => page.locator("#present li").count();

async function say(page: Page, text: string): Promise<void> {
  await page.fill("#text", text);
  await page.press("#text", "Enter");
}

test("people on different instances talk, see who is there, and lose nothing when an instance is killed", async () => {
  const port = await freePorts(5);
  const example = new ExampleProcess("chat/server.js", { PORT: String(port) });
  await example.says("Ctrl-C stops it.");
  const browser = await launchBrowser();
  const errors: string[] = [];
  const open = async () => {
    const context = await browser.newContext({ viewport: { width: 900, height: 560 } });
    const page = await context.newPage();
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.waitForSelector('#served[data-state="connected"]');
    return page;
  };
  const first = await open();
  let second = await open();
  while ((await instanceOf(second)) === (await instanceOf(first))) {
    await second.context().close();
    second = await open();
  }
  await expect.poll(() => Promise.all([first, second].map(present))).toEqual([2, 2]);

  await say(first, "hello");
  // Each sees its own first: of two that cross, there would be two orders.
  await expect.poll(() => said(second)).toHaveLength(1);
  await say(second, "hello yourself");
  const greeting = [expect.stringContaining("hello"), expect.stringContaining("hello yourself")];
  await expect.poll(() => said(first)).toEqual(greeting);
  await expect.poll(() => said(second)).toEqual(greeting);

  const before = await first.textContent("#served");
  await first.click("#kill");
  await first.waitForSelector('#served[data-state="away"]');
  // While the other one is away.
  await say(second, "are you still there?");
  await first.waitForSelector('#served[data-state="connected"]');
  expect(await first.textContent("#served")).not.toBe(before);
  const all = [...greeting, expect.stringContaining("are you still there?")];
  await expect.poll(() => said(first)).toEqual(all);
  await expect.poll(() => Promise.all([first, second].map(present))).toEqual([2, 2]);

  await second.selectOption("#room", "garden");
  await expect.poll(() => Promise.all([first, second].map(present))).toEqual([1, 1]);
  await say(second, "anybody in the garden?");
  await expect.poll(() => said(second)).toHaveLength(4);
  await say(first, "I am in the lobby");
  await expect.poll(() => said(first)).toEqual([...all, expect.stringContaining("lobby")]);
  if (process.env["SCREENSHOT"] !== undefined) await first.screenshot({ path: process.env["SCREENSHOT"] });
  expect(errors).toEqual([]);
});
