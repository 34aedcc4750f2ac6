// The admin listener of a real cluster: its metrics, what it refuses, and that nobody who looks on is in the way.
import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { takePort } from "./support/free-ports.ts";
import { httpGet } from "./support/http-get.ts";
import { Ledger } from "./support/ledger.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { Prometheus } from "./support/prometheus.ts";
import { Shell } from "./support/shell.ts";
import { testCertificate } from "./support/test-certificate.ts";

async function startCluster(options: object) {
  const ledger = new Ledger();
  const primary = new PrimaryProcess("ledger.ts", {
    env: {
      LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances: 2, admin: { port: 0 }, ...options }),
      LB_TEST_LEDGER: ledger.path,
    },
  });
  const up = await primary.up();
  return { primary, up, admin: up.admin!, url: up.url };
}

/** Asks on and on, until it is stopped; says how many answers there were, which are to be good ones. */
function load(url: string): () => Promise<number> {
  let stopped = false;
  let answers = 0;
  const client = async () => {
    while (!stopped) {
      const { status } = await httpGet(`${url}/work?id=1&ms=2`);
      expect(status).toBe(200);
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

const docs = resolve(import.meta.dirname, "../../../docs");

/** Of the dashboard for Grafana. */
interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string }[];
}

/** The sum over all series of a metric. */
function sumOf(text: string, name: string): number {
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

test("a real Prometheus scrapes through a kill, a reload and a change of size, and sees no counter go back", async () => {
  const { primary, admin, url } = await startCluster({});
  const prometheus = await Prometheus.watching(new URL(admin).host);
  const stop = load(url);
  const [first] = await primary.workerPids();
  process.kill(first!, "SIGKILL");
  await primary.statusThat(({ instances }) => instances.every(({ state, pid }) => state === "ready" && pid !== first));
  await primary.operate("reload", { watchMs: 200 });
  await primary.operate("scale", 1);
  await primary.operate("scale", 2);
  const answers = await stop();
  const { traffic } = await primary.statusThat((status) => status.traffic.total.requests >= answers);
  const { body } = await httpGet(`${admin}/metrics`);
  expect([traffic.total.requests, sumOf(body, "lb_requests_total"), sumOf(body, "lb_instance_requests_total")]).toEqual(
    [answers, answers, answers],
  );
  expect(sumOf(body, "lb_request_duration_seconds_count")).toBe(answers);
  expect(body).toMatch(/lb_instance_exits_total\{id="1",reason="\w+"\} [1-9]/);
  await eventually(async () => (await prometheus.number("sum(lb_requests_total)")) === answers, {
    what: "the last scrape",
  });
  const counters = (await prometheus.names()).filter((name) => /^lb_.*_(total|bucket|count|sum)$/.test(name));
  expect(counters.length).toBeGreaterThan(20);
  const wentBack = counters.map((name) => prometheus.query(`resets(${name}[10m]) > 0`));
  expect((await Promise.all(wentBack)).flat()).toEqual([]);
  expect(await prometheus.hadBadAnswer()).toBe(false);
  expect(await prometheus.number("sum(rate(lb_requests_total[1m]))")).toBeGreaterThan(0);
  expect(await prometheus.query('{exported_instance!=""}')).toEqual([]);
  const dashboard = JSON.parse(readFileSync(resolve(docs, "grafana.json"), "utf8")) as {
    readonly panels: readonly Panel[];
  };
  const shown = dashboard.panels.flatMap(({ title, description, targets = [] }) =>
    targets.map(async ({ expr }) => {
      const asked = expr.replaceAll("$__rate_interval", "1m").replace(/\$(job|instance)/g, ".*");
      const series = await prometheus.query(asked);
      if (!description?.startsWith("Empty: ")) expect([title, asked, series.length > 0]).toEqual([title, asked, true]);
    }),
  );
  await Promise.all(shown);

  const checked = spawnSync("promtool", ["check", "metrics"], { input: body, encoding: "utf8" });
  expect([checked.status, checked.stdout + checked.stderr]).toEqual([0, ""]);
  const rules = resolve(docs, "prometheus-rules.yml");
  expect(spawnSync("promtool", ["check", "rules", rules], { encoding: "utf8" })).toMatchObject({
    status: 0,
    stderr: "",
  });
});

/** Of the operator's own. */
const token = "0123456789abcdef";
const authorization = `Bearer ${token}`;
const headers = { authorization };

test("the status and the history as JSON", async () => {
  const { primary, admin, url } = await startCluster({ instances: 1, admin: { port: 0, auth: { token } } });
  for (let times = 0; times < 5; times++) await httpGet(`${url}/work?id=1`);
  await primary.statusThat(({ traffic }) => traffic.total.requests === 5);
  const asked = async (path: string) => JSON.parse((await httpGet(`${admin}/api/${path}`, { headers })).body);
  expect(await asked("status")).toMatchObject({ version: 1, status: { name: "app", admin, traffic: { inFlight: 0 } } });
  const spans = await eventually(
    async () => {
      const { spans } = (await asked("history?ms=60000")) as {
        readonly spans: readonly { readonly requests: number }[];
      };
      return spans.reduce((sum, { requests }) => sum + requests, 0) === 5 && spans;
    },
    { what: "five requests in the history" },
  );
  expect(spans[0]).toMatchObject({ at: expect.any(Number), ms: expect.any(Number), connections: expect.any(Number) });
  expect(await asked("history?ms=soon")).toEqual({ version: 1, error: expect.stringContaining("ms") });
});

test("what happens is told as it does, and again to those who come later", async () => {
  const { primary, admin } = await startCluster({ instances: 1, admin: { port: 0, auth: { token } } });
  const heard = (others: Record<string, string> = {}) => {
    let text = "";
    const sent = request(`${admin}/api/events`, { headers: { ...headers, ...others }, agent: false }, (response) => {
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
    });
    sent.on("error", () => {}).end();
    onTestFinished(() => void sent.destroy());
    return () => [...text.matchAll(/^data: (.*)$/gm)].map(([, line]) => JSON.parse(line!) as Record<string, unknown>);
  };
  const entries = heard();
  await eventually(() => entries().some(({ message }) => String(message).includes("listens on")), {
    what: "the start",
  });
  const [pid] = await primary.workerPids();
  process.kill(pid!, "SIGKILL");
  const exit = await eventually(() => entries().find(({ event }) => event === "exit"), { what: "the exit" });
  expect(exit).toMatchObject({ version: 1, level: expect.any(String), instance: 1, at: expect.any(Number) });
  const later = heard({ "last-event-id": String(Number(exit["id"]) - 1) });
  expect(await eventually(() => later()[0], { what: "what was missed" })).toEqual(exit);
  await eventually(() => entries().some(({ message }) => String(message).includes("ready again")), {
    what: "the new one",
  });
  expect(JSON.parse((await httpGet(`${admin}/api/logs`, { headers })).body)).toEqual({
    version: 1,
    error: expect.any(String),
  });
});

test("in hand-off mode the numbers are the same", async () => {
  const { primary, admin, url } = await startCluster({ mode: "handoff" });
  const stop = load(url);
  await primary.statusThat(({ traffic }) => traffic.total.requests > 20);
  const answers = await stop();
  await primary.statusThat(({ traffic }) => traffic.total.requests === answers);
  const { body } = await httpGet(`${admin}/metrics`);
  expect(sumOf(body, "lb_requests_total")).toBe(answers);
  expect(sumOf(body, "lb_instance_requests_total")).toBe(answers);
});

test("FAULTS 68: scrapers that do not read, and connections that say nothing, are in nobody's way", async () => {
  const { primary, admin, url } = await startCluster({});
  const { hostname: host, port } = new URL(admin);
  const sockets: Socket[] = Array.from({ length: 60 }, (_, at) => {
    const socket = connect({ host, port: Number(port) }).on("error", () => {});
    // What comes back is left in the kernel; half of them never say what they want.
    if (at % 2 === 0) socket.pause().write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(20));
    return socket;
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(sockets.map((socket) => eventually(() => !socket.connecting, { what: "a connection" })));
  const answers = await Promise.all(Array.from({ length: 50 }, () => httpGet(`${url}/work?id=1`)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await httpGet(`${admin}/metrics`)).status).toBe(200);
  expect((await primary.status()).vitals?.rssBytes ?? 0).toBeLessThan(400_000_000);
});

test("the guard stands before all of it, and its answers are nobody else's to show", async () => {
  const auth = { user: "ann", password: "correct horse" };
  const { admin } = await startCluster({ admin: { port: 0, auth }, instances: 1 });
  const asked = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    httpGet(`${admin}${path}`, { headers, method });
  const authorization = `Basic ${Buffer.from("ann:correct horse").toString("base64")}`;
  expect((await asked("/metrics", { host: "evil.example", authorization })).status).toBe(421);
  const challenged = await asked("/metrics");
  expect([challenged.status, challenged.headers["www-authenticate"]]).toEqual([401, expect.stringMatching(/^Basic/)]);
  expect((await asked("/nowhere")).status).toBe(401);
  expect((await asked("/nowhere", { authorization })).status).toBe(404);
  expect((await asked("/metrics", { authorization }, "POST")).status).toBe(405);
  const { status, headers } = await asked("/metrics", { authorization, origin: "https://evil.example" });
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    "content-security-policy": expect.stringContaining("default-src 'none'"),
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  });
  expect(headers).not.toHaveProperty("access-control-allow-origin");
  const head = await asked("/metrics", { authorization }, "HEAD");
  expect([head.status, head.body]).toEqual([200, ""]);
  for (let time = 0; time < 10; time++) await asked("/metrics", { authorization: "Basic YW5uOmE=" });
  expect((await asked("/metrics", { authorization })).status).toBe(429);
});

test("at a Unix socket, and never at the public port", async () => {
  const path = join(tmpdir(), `lb-admin-${process.pid}.sock`);
  const { admin, url, primary } = await startCluster({ admin: { path }, instances: 1 });
  expect(admin).toBe(`unix:${path}`);
  const curled = spawnSync("curl", ["-s", "--unix-socket", path, "http://localhost/metrics"], { encoding: "utf8" });
  expect(curled.stdout).toContain("lb_up 1\n");
  expect((await httpGet(`${url}/metrics`)).status).toBe(404);
  await primary.close();
  expect(spawnSync("curl", ["-s", "--unix-socket", path, "http://localhost/metrics"]).status).not.toBe(0);
});

test("with a certificate it speaks TLS alone, and goes on with the next one", async () => {
  const [first, second] = [testCertificate(["IP:127.0.0.1"]), testCertificate(["IP:127.0.0.1"])];
  const tls = { cert: first.cert, key: first.key };
  const { admin, primary } = await startCluster({ admin: { port: 0, tls, auth: { token } }, instances: 1 });
  expect(admin).toMatch(/^https:/);
  const curl = (cert: string, ...args: string[]) =>
    spawnSync("curl", ["-sS", "--cacert", cert, "-H", `Authorization: ${authorization}`, ...args], {
      encoding: "utf8",
    });
  // Its own root, before its file is another one's.
  const root = readFileSync(first.cert);
  const kept = join(tmpdir(), `lb-admin-root-${process.pid}.pem`);
  writeFileSync(kept, root);
  onTestFinished(() => rmSync(kept, { force: true }));
  expect(curl(kept, `${admin}/metrics`).stdout).toContain("lb_up 1\n");
  expect(curl(kept, "--tls-max", "1.1", `${admin}/metrics`).status).not.toBe(0);
  expect(curl(kept, `${admin.replace("https:", "http:")}/metrics`).status).not.toBe(0);
  expect(curl(second.cert, `${admin}/metrics`).status).toBe(60);
  copyFileSync(second.cert, first.cert);
  copyFileSync(second.key, first.key);
  const renewed = await primary.event("certificates-renewed");
  expect(JSON.stringify(renewed)).not.toMatch(/BEGIN|passphrase/);
  expect(curl(second.cert, `${admin}/metrics`).stdout).toContain("lb_up 1\n");
});

test("under lb start it is on, at loopback, unless it is not wanted", async () => {
  const shell = new Shell();
  shell.write(
    "app.cjs",
    'console.log("hello"); require("node:http").createServer((_, response) => response.end()).listen(process.env.PORT);',
  );
  const [on, off] = await Promise.all([
    shell.start("app.cjs", "-i", "1", "-p", "0", "--name", "on"),
    shell.start("app.cjs", "-i", "1", "-p", "0", "--name", "off", "--admin", "off"),
  ]);
  const admin = await eventually(() => /metrics at (http:\/\/127\.0\.0\.1:94\d\d)\/metrics/.exec(on.said())?.[1], {
    what: "where the metrics are",
  });
  expect((await httpGet(`${admin}/metrics`)).body).toContain("lb_up 1\n");
  const logs = `${admin}/api/logs?lines=5&instance=1`;
  expect((await httpGet(logs)).status).toBe(401);
  const link = (await shell.run("dashboard", "--name", "on")).stdout.trim();
  expect(link.startsWith(`${admin}/?token=`)).toBe(true);
  // It is in no log.
  expect(on.said()).not.toContain(new URL(link).searchParams.get("token"));
  const opened = await httpGet(link);
  expect([opened.status, opened.headers["refresh"]]).toEqual([200, "0; url=/"]);
  const [cookie] = opened.headers["set-cookie"]![0]!.split(";");
  const { body } = await httpGet(logs, { headers: { cookie: cookie! } });
  expect(JSON.parse(body)).toEqual({ version: 1, lines: [expect.objectContaining({ instance: 1, text: "hello" })] });
  expect(await shell.run("dashboard", "--name", "off")).toMatchObject({ code: 1, stdout: "" });
  const status = await shell.run("status", "--name", "off", "--json");
  expect(JSON.parse(status.stdout)).toMatchObject({ admin: null });
  expect(off.said()).not.toContain("metrics at");
});

test("a port that is taken: an error where it was asked for", async () => {
  const { port, server } = await takePort();
  onTestFinished(() => void server.close());
  const primary = new PrimaryProcess("ledger.ts", {
    env: {
      LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances: 1, admin: port }),
      LB_TEST_LEDGER: new Ledger().path,
    },
  });
  expect(await primary.failed()).toMatchObject({ code: "LB_PORT_BUSY", message: expect.stringContaining('"admin"') });
});
