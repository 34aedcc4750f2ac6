// What the instances of a real app count with prom-client, as the cluster's metrics have it.
import { spawnSync } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { Prometheus } from "./support/prometheus.ts";
import { Shell } from "./support/shell.ts";

async function startCluster(options: object = {}) {
  const env = { LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances: 2, admin: { port: 0 }, ...options }) };
  const primary = new PrimaryProcess("metrics-app.ts", { env });
  const { url, admin } = await primary.up();
  const scraped = async (accept = "text/plain") => (await httpGet(`${admin}/metrics`, { headers: { accept } })).body;
  return {
    primary,
    admin: admin!,
    scraped,
    order: async (times: number) => {
      for (let time = 0; time < times; time++) expect((await httpGet(url)).status).toBe(200);
    },
    /** The value of a series, as a scrape has it. */
    value: async (series: string) => valueIn(await scraped(), series),
  };
}

function valueIn(text: string, series: string): number {
  const line = text.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? Number.NaN : Number(line.slice(series.length + 1));
}

const orders = 'orders_total{kind="book"}';
const answeredInstances = 'lb_app_metrics_instances{result="answered"}';
const shop = 'shop="a\\"b\\nc"';

test("all instances are one, through a kill, a stop and a reload, and a real Prometheus sees no counter go back", async () => {
  const { primary, admin, scraped, order, value } = await startCluster();
  const prometheus = await Prometheus.watching(new URL(admin).host);
  await order(10);
  // Who asks while others are being answered gets what they get, which may be of a moment ago.
  const text = await eventually(
    async () => {
      const seen = await scraped();
      return valueIn(seen, orders) === 10 && valueIn(seen, answeredInstances) === 2 && seen;
    },
    { what: "what both have counted" },
  );
  expect(valueIn(text, `order_seconds_bucket{${shop},le="1.0"}`)).toBe(10);
  expect(valueIn(text, `order_seconds_sum{${shop}}`)).toBe(5);
  expect(valueIn(text, `carts{${shop}}`)).toBe(6);
  for (const id of [1, 2]) expect(valueIn(text, `process_resident_memory_bytes{id="${id}"}`)).toBeGreaterThan(1e7);
  expect([...text.matchAll(/^lb_app_metrics_.*$/gm)].map(([line]) => line)).toEqual([
    'lb_app_metrics_instances{result="answered"} 2',
    'lb_app_metrics_instances{result="late"} 0',
    "lb_app_metrics_dropped_series 1",
  ]);
  expect(valueIn(text, "lb_requests_total")).toBeNaN();
  // Node's own names are prom-client's affair.
  const own = text.split("\n").filter((line) => !/\bnodejs_/.test(line));
  const checked = spawnSync("promtool", ["check", "metrics"], { input: own.join("\n"), encoding: "utf8" });
  expect([checked.status, checked.stdout + checked.stderr]).toEqual([0, ""]);
  expect(await scraped("application/openmetrics-text; version=1.0.0")).toMatch(
    /# TYPE orders counter\norders_total[^#]*/,
  );

  const [first, second] = await primary.workerPids();
  process.kill(first!, "SIGKILL");
  await primary.statusThat(({ instances }) => instances.every(({ state, pid }) => state === "ready" && pid !== first));
  expect(await value(orders)).toBe(10);
  await order(4);
  await expect.poll(() => value(orders)).toBe(14);

  process.kill(second!, "SIGSTOP");
  onTestFinished(() => {
    try {
      process.kill(second!, "SIGCONT");
    } catch {
      // The cluster has ended it.
    }
  });
  const began = performance.now();
  const meanwhile = await scraped();
  // The stopped one is given a second; its heartbeat, and with it its end, is far away.
  expect(performance.now() - began).toBeLessThan(8_000);
  expect(valueIn(meanwhile, orders)).toBe(14);
  expect(valueIn(meanwhile, 'lb_app_metrics_instances{result="late"}')).toBe(1);
  expect(valueIn(meanwhile, `carts{${shop}}`)).toBe(3);
  // And no longer than who asks has himself.
  await eventually(async () => (await prometheus.number('lb_app_metrics_instances{result="late"} == 1')) === 1, {
    what: "a scrape without the stopped one",
  });
  process.kill(second!, "SIGCONT");

  // What they have counted is told before they end, scraped or not.
  await order(6);
  await primary.operate("reload", { watchMs: 0, parallelism: 2 });
  await eventually(async () => (await value(orders)) === 20, { what: "what the old ones counted" });
  await order(1);
  await expect.poll(() => value(orders)).toBe(21);
  await eventually(async () => (await prometheus.number("sum(orders_total)")) === 21, { what: "the last scrape" });
  const counters = ["orders_total", "order_seconds_bucket", "order_seconds_count", "order_seconds_sum"];
  const wentBack = counters.map((name) => prometheus.query(`resets(${name}[10m]) > 0`));
  expect((await Promise.all(wentBack)).flat()).toEqual([]);
  expect(await prometheus.hadBadAnswer()).toBe(false);
});

test("in hand-off mode it is the same, and where they are not wanted the app is left alone", async () => {
  const [{ order, value }, without] = await Promise.all([
    startCluster({ mode: "handoff" }),
    startCluster({ admin: { port: 0, appMetrics: false } }),
  ]);
  await order(5);
  await expect.poll(() => value(orders)).toBe(5);
  expect(await without.scraped()).not.toMatch(/orders_total|process_|lb_app_metrics_instances\{/);
});

test("an unmodified app under lb start", async () => {
  const shell = new Shell();
  shell.write(
    "app.cjs",
    `const { Counter } = require("prom-client");
     const orders = new Counter({ name: "orders_total", help: "Orders", labelNames: ["kind"] });
     require("node:http").createServer((_, response) => response.end(String(orders.inc({ kind: "book" })))).listen(process.env.PORT);`,
  );
  const { port, said } = await shell.start("app.cjs", "-i", "2", "-p", "0", "--admin", "0");
  const admin = await eventually(() => /metrics at (http:\S+)\/metrics/.exec(said())?.[1], {
    what: "the admin listener",
  });
  for (let time = 0; time < 7; time++) await httpGet(`http://127.0.0.1:${port}`);
  await expect.poll(async () => valueIn((await httpGet(`${admin}/metrics`)).body, orders)).toBe(7);
});
