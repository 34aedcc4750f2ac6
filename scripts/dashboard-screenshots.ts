// Writes docs/images/: the dashboard of a real cluster under load. Build first.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { Agent, createServer, get, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launchBrowser } from "../examples/test/browser.ts";

const images = join(import.meta.dirname, "../docs/images");
const maxBytes = 200_000;
/** Until the charts have something to show. */
const loadedForMs = 45_000;

const ends: (() => unknown)[] = [];
const finished = (end: () => Promise<void>) => void ends.unshift(end);
try {
  await write();
} finally {
  for (const end of ends) await end();
}

async function write(): Promise<void> {
  mkdirSync(images, { recursive: true });
  const shop = await startShop();
  const browser = await launchBrowser({ finished });
  load(shop.url, ["/", "/cart", "/products?q=tea", "/api/prices", "/api/stock", "/old/tea"]);
  await sleep(loadedForMs / 2);
  // Not asked for again elsewhere, as a GET would be: one crash is enough.
  request(`${shop.url}/out-of-memory`, { method: "POST" })
    .on("error", () => {})
    .end();
  await sleep(loadedForMs / 2);
  const wide = { viewport: { width: 1280, height: 900 } };
  const light = await opened(browser, shop.dashboard, { ...wide, colorScheme: "light" });
  await save(light, "dashboard-light");
  await save(await opened(browser, shop.dashboard, { ...wide, colorScheme: "dark" }), "dashboard-dark");
  const phone = { viewport: { width: 360, height: 780 }, deviceScaleFactor: 1.5 };
  await save(await opened(browser, shop.dashboard, phone), "dashboard-phone");
  await light.click("header >> text=Canary");
  await light.fill("dialog [name=share]", "20");
  await light.fill("dialog [name=minutes]", "0.5");
  await light.click("dialog .primary");
  await light.waitForSelector(".reload >> text=/tried out.*1[0-9]\\ss/");
  await light.locator(".reload").screenshot({ path: pathOf("dashboard-canary") });
  check("dashboard-canary");
}

/** A cluster of four, with a backend of two endpoints that are no processes of its own. */
async function startShop(): Promise<{ readonly url: string; readonly dashboard: string }> {
  const home = mkdtempSync(join(tmpdir(), "lb-screenshots-"));
  ends.unshift(() => rmSync(home, { recursive: true, force: true }));
  const endpoints = await Promise.all([5, 9].map(priceServer));
  const options = {
    name: "shop",
    instances: 4,
    port: 0,
    admin: { port: 0, actions: true },
    backends: { prices: { endpoints } },
    routes: [
      { name: "api", path: "/api/*", to: "prices" },
      { name: "moved", path: "/old/*", to: { redirect: "/" } },
    ],
  };
  const env = { ...process.env, LB_CONTROL_DIR: home, SHOP_OPTIONS: JSON.stringify(options) };
  const child: ChildProcess = fork(join(import.meta.dirname, "../packages/dashboard/test/fixtures/shop.ts"), { env });
  ends.unshift(async () => {
    child.kill("SIGTERM");
    await once(child, "exit");
  });
  const [told] = await Promise.race([once(child, "message"), once(child, "exit")]);
  if (typeof told !== "object") throw new Error("The cluster did not start.");
  return told as { readonly url: string; readonly dashboard: string };
}

async function priceServer(ms: number): Promise<string> {
  const server = createServer((_, response) => void setTimeout(() => response.end("{}"), ms)).listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Twenty clients, who come more and less as on a day. */
function load(url: string, paths: readonly string[]): void {
  const agent = new Agent({ keepAlive: true });
  let [asked, stopped] = [0, false];
  ends.unshift(() => {
    stopped = true;
    agent.destroy();
  });
  const one = () => {
    if (stopped) return;
    const again = (ms: number) => setTimeout(one, ms);
    asked += 1;
    get(`${url}${paths[asked % paths.length]}`, { agent }, (response) => {
      response.resume().once("end", () => again(90 + 50 * Math.sin(Date.now() / 9_000)));
    }).on("error", () => again(200));
  };
  for (let clients = 0; clients < 20; clients++) one();
}

async function opened(browser: Browser, url: string, options: BrowserContextOptions): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(url);
  await page.waitForSelector("[data-figure=total]");
  // Rates are over five seconds.
  await sleep(7_000);
  return page;
}

async function save(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: pathOf(name) });
  check(name);
}

function pathOf(name: string): string {
  return join(images, `${name}.png`);
}

function check(name: string): void {
  const { size } = statSync(pathOf(name));
  console.log(`${name}.png: ${Math.round(size / 1_000)} kB`);
  if (size > maxBytes) throw new Error(`${name}.png has ${size} bytes, more than ${maxBytes}.`);
}
