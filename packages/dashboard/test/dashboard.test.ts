// The page of a real cluster, in Chromium: its figures under load, what happens to instances, and what clients and apps write.
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { launchBrowser } from "../../../examples/test/browser.ts";
import { eventually } from "../../core/test/support/eventually.ts";
import { httpGet } from "../../core/test/support/http-get.ts";
import { PrimaryProcess } from "../../core/test/support/primary-process.ts";
import type { ClusterStatus } from "../src/api/types.ts";
import { count, milliseconds, percent } from "../src/figures/format.ts";
import { manyInstances } from "./fixtures/many-instances.ts";

const httpCredentials = { username: "ops", password: "correct horse" };
const route = "<img src=x onerror=alert(1)>";
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let browser: Browser;
let primary: PrimaryProcess;
let up: ClusterStatus;
/** Where nothing may be done. */
let readOnly: PrimaryProcess;
let readOnlyUp: ClusterStatus;
const token = "0123456789abcdef";
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const finished = (end: () => Promise<void>) => void ends.unshift(end);
  const options = {
    name: "shop",
    port: 0,
    instances: 2,
    admin: { port: 0, actions: true, auth: { user: httpCredentials.username, password: httpCredentials.password } },
    routes: [{ name: route, path: "/api/*", to: "app" }],
  };
  const started = (given: object) =>
    new PrimaryProcess(`${import.meta.dirname}/fixtures/watched.ts`, {
      env: { LB_TEST_OPTIONS: JSON.stringify(given) },
      finished,
    });
  primary = started(options);
  readOnly = started({ port: 0, instances: 1, admin: { port: 0, auth: { token } } });
  [up, readOnlyUp, browser] = await Promise.all([primary.up(), readOnly.up(), launchBrowser({ finished })]);
});

afterAll(async () => {
  for (const end of ends) await end();
});

const desktop = { width: 1440, height: 900 };

/** The page as somebody sees it who has the password; what goes wrong in it fails the test. */
async function opened({ url = up.admin!, viewport = desktop } = {}): Promise<Page> {
  const context = await browser.newContext({ httpCredentials, viewport });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|Uncaught/.test(message.text())) wrong.push(message.text());
  });
  page.on("dialog", (dialog) => {
    wrong.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) wrong.push(`asks ${request.url()}`);
  });
  onTestFinished(() => expect(wrong).toEqual([]));
  await page.goto(url);
  await page.waitForSelector("[data-figure=total]");
  return page;
}

/** As when somebody comes back to the page, which asks at once then and not when its second is over. */
const lookAgain = (page: Page) => page.evaluate(() => void document.dispatchEvent(new Event("visibilitychange")));

/** The same again and again, for the next part of a test. */
const watchClosely = (page: Page) =>
  page.evaluate(() => void setInterval(() => document.dispatchEvent(new Event("visibilitychange")), 150));

const figure = (page: Page, name: string) => page.textContent(`[data-figure="${name}"]`);
const figures = async (page: Page, ...names: string[]) => Promise.all(names.map((name) => figure(page, name)));

/** The texts of the cells of a row, by the title of its column. */
async function row(page: Page, table: string, number: number): Promise<Readonly<Record<string, string>>> {
  return page.evaluate(
    ([label, index]) => {
      const all = document.querySelector(`[aria-label="Table: ${label}"] table`)!;
      const heads = [...all.querySelectorAll("thead th")].map(
        ({ textContent }) => textContent?.replace(/[↓↑]/g, "") ?? "",
      );
      const cells = [...(all.querySelectorAll("tbody tr")[index]?.children ?? [])];
      return Object.fromEntries(cells.map(({ textContent }, at) => [heads[at]!, textContent ?? ""]));
    },
    [table, number] as const,
  );
}

/** Requests one after the other from each of some clients, until it is stopped; says how many were answered. */
function load(path: string): () => Promise<number> {
  let [stopped, answers] = [false, 0];
  const client = async () => {
    while (!stopped) {
      await httpGet(`${up.url}${path}`);
      answers += 1;
    }
  };
  const clients = Promise.all([client(), client(), client()]);
  return async () => {
    stopped = true;
    await clients;
    return answers;
  };
}

/** A request that is in flight until it is ended. */
function held(): () => Promise<unknown> {
  const sent = request(`${up.url}/upload`, { method: "POST", agent: false });
  const answered = new Promise((resolve, reject) => sent.on("response", resolve).on("error", reject));
  sent.write("begun");
  return () => {
    sent.end();
    return answered;
  };
}

test("what it shows is what the status says, while requests come and when they have ended", async () => {
  const page = await opened();
  await watchClosely(page);
  const stop = load("/work?ms=5");
  await primary.statusThat(({ traffic }) => traffic.total.requests > 100);
  const { traffic: before } = await primary.status();
  const shown = await eventually(
    async () => {
      const total = Number((await figure(page, "total"))!.replaceAll(",", ""));
      return total >= before.total.requests && total;
    },
    { what: "the requests on the page" },
  );
  expect(shown).toBeLessThanOrEqual((await primary.status()).traffic.total.requests);
  await eventually(async () => Number(await figure(page, "requests")) > 20, { what: "requests a second on the page" });
  await stop();
  await Promise.all(Array.from({ length: 4 }, () => httpGet(`${up.url}/fail`)));
  const inFlight = Array.from({ length: 3 }, held);
  await eventually(async () => (await figure(page, "in-flight")) === "3", { what: "what is in flight" });
  await Promise.all(inFlight.map((end) => end()));
  await httpGet(`${up.url}/api/work`);
  const names = ["total", "errors", "p50", "p95", "p99", "in-flight", "connections", "instances"];
  await eventually(
    async () => {
      const { traffic, instances } = await primary.status();
      const { failureShare, totalMs } = traffic.lastMinute!;
      const expected = [
        count(traffic.total.requests),
        percent(failureShare),
        ...[totalMs.p50, totalMs.p95, totalMs.p99].map(milliseconds),
        count(traffic.inFlight),
        count(traffic.listeners.reduce((sum, { open }) => sum + open, 0)),
        count(instances.length),
      ];
      return JSON.stringify(await figures(page, ...names)) === JSON.stringify(expected);
    },
    { what: "the same figures on the page and in the status" },
  );
  const { traffic, instances } = await primary.status();
  expect(traffic.total.byStatus["5xx"]).toBe(4);
  const [first, second] = [await row(page, "Instances", 0), await row(page, "Instances", 1)];
  expect([first["Instance"], second["Instance"]].map((id) => id?.trim())).toEqual(["1", "2"]);
  expect([first["PID"], second["PID"]]).toEqual(instances.map(({ pid }) => String(pid)));
  expect([first["State"], second["State"]]).toEqual(["ready", "ready"]);
  expect(first["p95"]).toBe(milliseconds(traffic.instances[1]!.totalMs.p95));
  expect(first["Memory"]).toMatch(/^\d+\u00a0MB$/);
  const counted = await row(page, "Routes", 0);
  expect([counted["Route"], counted["In all"]]).toEqual([route, count(traffic.routes[route]!.requests)]);
  expect((await row(page, "Listeners", 0))["Accepted"]).toBe(count(traffic.listeners[0]!.accepted));
});

test("an instance that is killed, and a reload, are seen as they happen", async () => {
  const page = await opened();
  await watchClosely(page);
  const stop = load("/work?ms=5");
  const [pid] = await primary.workerPids();
  process.kill(pid!, "SIGKILL");
  await page.waitForSelector(".entry.error >> text=/instance 1 .*killed/");
  await eventually(
    async () => {
      const { PID, State, Restarts } = await row(page, "Instances", 0);
      return PID !== String(pid) && State === "ready" && Restarts === "1";
    },
    { what: "the new process on the page" },
  );
  const reload = primary.operate("reload", { watchMs: 500 });
  await page.waitForSelector(".reload >> text=/[01] of 2 replaced/");
  const requests = async (version: string) =>
    Number((await page.textContent(`[data-version=${version}] td`))!.replaceAll(",", ""));
  await eventually(async () => (await requests("old")) > 0 && (await requests("new")) > 0, { what: "old and new" });
  await reload;
  await page.waitForSelector(".reload >> text=done, 2 replaced");
  await page.waitForSelector(".entry >> text=/reload: done, 2 instances replaced/");
  await stop();
  await page.click(".reload button");
  expect(await page.$(".reload")).toBeNull();
});

test("BAD-INPUTS 186: what apps and clients write is text, in the lines and in the events", async () => {
  const page = await opened();
  await watchClosely(page);
  const text = "<script>alert(2)</script><img src=x onerror=alert(3)>";
  await httpGet(`${up.url}/say?text=${encodeURIComponent(text)}`);
  await httpGet(`${up.url}/throw?text=${encodeURIComponent(text)}`);
  const line = await page.waitForSelector(".lines .line:not(.stderr) .text");
  expect(await line.textContent()).toBe(text);
  await page.waitForSelector(".line.stderr >> text=Error: <script>alert(2)");
  await page.fill("input[type=search]", "no such thing");
  await page.waitForSelector(".lines >> text=No line has that.");
  await page.fill("input[type=search]", "ALERT(3)");
  await page.waitForSelector(".lines .line");
  await page.selectOption(".filters select", { label: "2" });
  await page.waitForSelector(".lines >> text=/No line has that|Nothing was written|alert/");
  expect(await page.$$("main script, main img")).toEqual([]);
});

test("what is asked for is done, once it was confirmed; what is refused says why", async () => {
  const page = await opened();
  await watchClosely(page);
  const isIn = (selector: string) =>
    page.evaluate((wanted) => document.activeElement?.closest(wanted) !== null, selector);
  // By keyboard: the dialog has the focus, and gives it back.
  const drain = page.locator('button[aria-label="Drain instance 1"]');
  await drain.focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  for (let tabs = 0; tabs < 5; tabs++) {
    // After its last part it is the browser's own turn, and never that of what lies behind.
    expect(
      await page.evaluate(
        () => document.activeElement === document.body || document.activeElement?.closest("dialog") !== null,
      ),
    ).toBe(true);
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  expect(await isIn('[aria-label="Drain instance 1"]')).toBe(true);
  expect((await primary.status()).instances[0]!.state).toBe("ready");

  const confirm = () => page.click("dialog .primary");
  await page.keyboard.press("Enter");
  await confirm();
  await page.waitForSelector(".notice >> text=Drain instance 1: done");
  await primary.statusThat(({ instances }) => instances[0]!.state === "drained");
  await page.waitForSelector(".entry >> text=/drain.*ops|ops.*drain/");
  await page.click('[aria-label="Drain instance 2"]');
  await confirm();
  await page.waitForSelector("dialog [role=alert] >> text=Instance 2 is the only one that takes traffic.");
  await page.click("dialog >> text=Cancel");
  await page.click('[aria-label="Resume instance 1"]');
  await confirm();
  await primary.statusThat(({ instances }) => instances[0]!.state === "ready");

  await page.click("header >> text=Scale");
  await page.fill("dialog [name=instances]", "0");
  await confirm();
  expect(await page.$("dialog [name=instances]:invalid")).not.toBeNull();
  await page.fill("dialog [name=instances]", "3");
  await confirm();
  await eventually(async () => (await figure(page, "instances")) === "3", { what: "three instances on the page" });
  const [, , third] = await primary.workerPids();
  await page.click('[aria-label="Restart instance 3"]');
  await confirm();
  await page.waitForSelector(".notice >> text=Restart instance 3: done");
  expect((await primary.workerPids())[2]).not.toBe(third);
  await page.click('[aria-label="Profile instance 2"]');
  await page.fill("dialog [name=seconds]", "0.2");
  expect(await page.$("dialog [name=seconds]:invalid")).not.toBeNull();
  await page.fill("dialog [name=seconds]", "1");
  const [kept] = await Promise.all([page.waitForEvent("download"), confirm()]);
  expect(kept.suggestedFilename()).toBe("instance-2.cpuprofile");
  const { nodes, samples } = JSON.parse(readFileSync(await kept.path(), "utf8")) as Record<string, unknown[]>;
  expect([nodes!.length > 0, samples!.length > 0]).toEqual([true, true]);
  await page.waitForSelector(".notice >> text=Profile instance 2: done");
  await page.click("header >> text=Canary");
  await page.fill("dialog [name=minutes]", "0.1");
  await confirm();
  await page.waitForSelector(".reload >> text=/Instance 1: the new one is tried out/");
  await page.waitForSelector("dialog", { state: "detached" });
});

test("where nothing may be done, that is said", async () => {
  const page = await opened({ url: `${readOnlyUp.admin}/?token=${token}` });
  await page.waitForSelector("header >> text=Read-only: the option admin.actions is off");
  expect(await page.locator("header button:disabled").allTextContents()).toEqual(["Reload …", "Canary …", "Scale …"]);
  expect(await page.$('[aria-label="Restart instance 1"]')).toBeNull();
});

test("axe finds nothing, on a phone, light and dark; a phone scrolls in one direction", async () => {
  const page = await opened({ viewport: { width: 360, height: 780 } });
  await httpGet(`${up.url}/say?text=hello`);
  await page.waitForSelector(".lines .line");
  // Not by the page's own policy, which forbids it.
  await page.evaluate(readFileSync(axe, "utf8"));
  const violations = () =>
    page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: object[] }> } };
      const wcag = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
      return (await axe.run({ runOnly: wcag })).violations;
    });
  /** What does not fit, but for what scrolls by itself. */
  const tooWide = () =>
    page.evaluate(() => {
      if (document.documentElement.scrollWidth <= innerWidth) return [];
      const scrolls = (one: Element | null): boolean =>
        one !== null && (/auto|scroll|hidden/.test(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
      return [...document.querySelectorAll("body *")]
        .filter((one) => one.getBoundingClientRect().right > innerWidth && !scrolls(one.parentElement))
        .map(({ outerHTML }) => outerHTML.slice(0, 100));
    });
  const looks = async (look: string) => {
    expect([look, await violations()]).toEqual([look, []]);
    await page.click("header >> text=Reload");
    expect([look, await violations()]).toEqual([look, []]);
    expect([look, await tooWide()]).toEqual([look, []]);
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
  };
  await looks("on a phone");
  await page.setViewportSize(desktop);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await looks(colorScheme);
  }
});

test("a thousand instances stay smooth", async () => {
  const page = await opened();
  const status = await primary.status();
  let refreshes = 0;
  await page.route("**/api/status", (answer) => {
    refreshes += 1;
    return answer.fulfill({ json: { version: 1, status: manyInstances(status, 1_000, refreshes) } });
  });
  await page.waitForSelector("text=All 1,000");
  expect((await page.$$('[aria-label="Table: Instances"] tbody tr')).length).toBeLessThan(60);
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const spent = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    const seconds = (name: string) => metrics.find((metric) => metric.name === name)!.value;
    return { script: seconds("ScriptDuration") * 1_000, all: seconds("TaskDuration") * 1_000, refreshes };
  };
  const begin = await spent();
  await eventually(
    async () => {
      await lookAgain(page);
      return refreshes >= begin.refreshes + 2;
    },
    { what: "two refreshes" },
  );
  const end = await spent();
  const each = (part: "script" | "all") => (end[part] - begin[part]) / (end.refreshes - begin.refreshes);
  if (process.env["FIGURES"] !== undefined)
    console.log(`a refresh: ${each("script")} ms of script, ${each("all")} in all`);
  expect(each("script")).toBeLessThan(250);
  await page.click("text=Req/s");
  await page.evaluate(() => document.querySelector('[aria-label="Table: Instances"]')!.scrollTo(0, 1e6));
  await page.waitForSelector('[aria-label="Table: Instances"] tr[aria-rowindex="1001"]');
});

test("the first paint comes within a second, and what does not change is not loaded again", async () => {
  const page = await opened();
  const firstPaint = () =>
    page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN);
  await eventually(
    async () => {
      const ms = await firstPaint();
      if (process.env["FIGURES"] !== undefined) console.log(`first contentful paint after ${ms} ms`);
      if (ms < 1_000) return true;
      await page.reload();
      await page.waitForSelector("[data-figure=total]");
      return false;
    },
    { what: "a first paint within a second" },
  );
  const authorization = `Basic ${Buffer.from(Object.values(httpCredentials).join(":")).toString("base64")}`;
  const asked = (path: string, headers: Record<string, string> = {}) =>
    httpGet(`${up.admin}${path}`, { headers: { authorization, "accept-encoding": "gzip, br", ...headers } });
  const { body, headers } = await asked("/", { "accept-encoding": "identity" });
  expect([headers["content-type"], headers["cache-control"]]).toEqual([
    "text/html; charset=utf-8",
    "private, no-cache",
  ]);
  const script = await asked(/src="(\/assets\/[\w-]+\.js)"/.exec(body)![1]!);
  expect(script.headers).toMatchObject({
    "content-encoding": "br",
    "cache-control": "private, max-age=31536000, immutable",
    vary: "accept-encoding",
  });
  const { headers: now } = await asked("/");
  const again = await asked("/", { "if-none-match": String(now["etag"]) });
  expect([again.status, again.body]).toEqual([304, ""]);
  expect((await asked("/assets/none.js")).status).toBe(404);
});

test("a wrong password shows nothing, and a cluster that is gone is said to be", async () => {
  const stranger = await browser.newContext({ httpCredentials: { ...httpCredentials, password: "wrong horse" } });
  onTestFinished(() => stranger.close());
  const refused = await stranger.newPage();
  expect((await refused.goto(up.admin!))?.status()).toBe(401);
  expect(await refused.textContent("body")).not.toContain("shop");
  const page = await opened();
  await primary.close();
  await watchClosely(page);
  await page.waitForSelector("header >> text=/No answer since \\d\\d:\\d\\d:\\d\\d: The cluster does not answer/");
  expect(await page.title()).toBe("shop · lb");
});
