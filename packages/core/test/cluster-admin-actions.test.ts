// What is done to a real cluster by the admin listener, by whom, and what is not.
import { spawnSync } from "node:child_process";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { Ledger } from "./support/ledger.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { Shell } from "./support/shell.ts";

const auth = { user: "ann", password: "correct horse" };
const authorization = `Basic ${Buffer.from("ann:correct horse").toString("base64")}`;

async function startCluster(admin: object = { port: 0, auth, actions: true }) {
  const env = {
    LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances: 2, admin }),
    LB_TEST_LEDGER: new Ledger().path,
  };
  const primary = new PrimaryProcess("ledger.ts", { env });
  const { admin: url } = await primary.up();
  const session = JSON.parse((await httpGet(`${url}/api/session`, { headers: { authorization } })).body);
  const fields = { authorization, "content-type": "application/json", "x-lb-csrf": session.csrfToken };
  return {
    primary,
    url: url!,
    session,
    fields,
    async act(body: unknown, headers: Record<string, string> = fields) {
      const answer = await httpGet(`${url}/api/actions`, { method: "POST", headers, body: JSON.stringify(body) });
      return { status: answer.status, ...JSON.parse(answer.body) };
    },
  };
}

test("the instances are scaled, drained, resumed and reloaded, and each of it is told", async () => {
  const { primary, url, session, act } = await startCluster();
  expect(session).toMatchObject({
    version: 1,
    actions: true,
    csrfToken: expect.any(String),
    name: "app",
    mode: "proxy",
  });
  expect(await act({ action: "scale", instances: 3 })).toEqual({ status: 200, version: 1, result: null });
  expect((await primary.status()).instances).toHaveLength(3);
  expect(await act({ action: "drain", id: 3 })).toMatchObject({ status: 200 });
  expect((await primary.status()).instances[2]!.state).toBe("drained");
  expect(await act({ action: "resume", id: 3 })).toMatchObject({ status: 200 });
  const reloaded = await act({ action: "reload", options: { watchMs: 0, parallelism: 3 } });
  expect(reloaded).toMatchObject({ status: 200, result: { replaced: [1, 2, 3], durationMs: expect.any(Number) } });
  for (const [wrong, why] of [
    [{ action: "scale", instances: 0 }, /instances.*whole number/],
    [{ action: "scale", instances: 2, surprise: 1 }, /surprise/],
    [{ action: "drain", id: 9 }, /from 1 to 3/],
    [{ action: "drain" }, /id/],
    [{ action: "reload", backend: "nope" }, /backend/],
    [{ action: "reload", options: { watchMs: "soon" } }, /watchMs/],
    [{ action: "canary", share: 2 }, /share/],
    [{ action: "explode" }, /There are: reload/],
    [{ action: "__proto__" }, /There are: reload/],
    [{ id: 1 }, /There are: reload/],
    [[1], /an object of JSON/],
  ] as const) {
    expect(await act(wrong)).toMatchObject({ status: 400, version: 1, error: { message: expect.stringMatching(why) } });
  }
  await act({ action: "scale", instances: 1 });
  expect(await act({ action: "drain", id: 1 })).toMatchObject({ status: 409, error: { code: "LB_LAST_INSTANCE" } });

  const done = await primary.event("admin-action", ({ outcome, action }) => outcome === "done" && action === "scale");
  expect(done).toEqual({
    action: "scale",
    arguments: { instances: 3 },
    by: "ann",
    address: "127.0.0.1",
    outcome: "done",
  });
  const refused = await primary.event("admin-action", ({ outcome }) => outcome === "failed");
  expect(refused).toMatchObject({ action: "drain", arguments: { id: 1 }, why: expect.stringContaining("Instance 1") });
  const wrong = await primary.event("admin-action", ({ why }) => why?.includes("surprise") === true);
  expect(wrong).toMatchObject({ outcome: "refused", arguments: { instances: 2 } });
  for (const line of [
    'admin: scale {"instances":3} by ann (127.0.0.1) done',
    'admin: drain {"id":1} by ann (127.0.0.1) failed: Instance 1',
  ]) {
    await eventually(() => primary.log.includes(line), { what: line });
  }
  expect(primary.log).not.toMatch(/correct horse|surprise":/);
  expect((await httpGet(`${url}/api/actions`, { headers: { authorization } })).status).toBe(405);
});

test("BAD-INPUTS 183: nothing is done for whoever does not mean it, or is told of what he is not; a body without end, or that does not come, is given up", async () => {
  const { primary, url, fields, act } = await startCluster();
  const { hostname, port } = new URL(url);
  const head = (field: string) =>
    `POST /api/actions HTTP/1.1\r\nHost: localhost\r\n${Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("")}${field}\r\n\r\n`;
  const sent = (text: string) => {
    let said = "";
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(text)).on("error", () => {});
    const began = performance.now();
    const ended = new Promise<{ said: string; ms: number }>((resolve) =>
      socket.on("close", () => resolve({ said, ms: performance.now() - began })),
    );
    socket.setEncoding("utf8").on("data", (part: string) => (said += part));
    onTestFinished(() => void socket.destroy());
    return ended;
  };
  const slow = sent(`${head("Content-Length: 50")}{`);
  const scale = { action: "scale", instances: 1 };
  const { host } = new URL(url);
  const own = { ...fields, origin: `http://${host}`, "sec-fetch-site": "same-origin" };
  const { "x-lb-csrf": _, ...withoutToken } = own;
  expect(await act(scale, withoutToken)).toMatchObject({ status: 403, error: { code: "LB_ADMIN_REFUSED" } });
  expect(await act(scale, { ...own, origin: "https://evil.example" })).toMatchObject({ status: 403 });
  expect(await act(scale, { ...own, "sec-fetch-site": "cross-site" })).toMatchObject({ status: 403 });
  expect(await act(scale, { ...own, "content-type": "text/plain" })).toMatchObject({ status: 415 });
  const rebound = await httpGet(`${url}/api/actions`, {
    method: "POST",
    headers: { ...own, host: "evil.example" },
    body: "{}",
  });
  expect(rebound.status).toBe(421);
  const stranger = await httpGet(`${url}/api/actions`, {
    method: "POST",
    headers: { ...own, authorization: "" },
    body: "{}",
  });
  expect(stranger.status).toBe(401);
  const told = await primary.event("admin-action", ({ why }) => why?.includes("origin") === true);
  expect(told).toEqual({
    action: null,
    arguments: {},
    by: "ann",
    address: "127.0.0.1",
    outcome: "refused",
    why: told.why,
  });
  expect((await primary.status()).instances).toHaveLength(2);
  expect(await act(scale, own)).toMatchObject({ status: 200 });
  expect((await primary.status()).instances).toHaveLength(1);
  expect((await sent(head("Content-Length: 100000"))).said).toMatch(/^HTTP\/1.1 413 /);
  const chunks = `2000\r\n${" ".repeat(0x2000)}\r\n`.repeat(2);
  expect((await sent(head("Transfer-Encoding: chunked") + chunks)).said).toMatch(/^HTTP\/1.1 413 /);
  expect(await act({ action: "resume", id: 1 })).toMatchObject({ status: 200 });
  const { said, ms } = await slow;
  expect(said).toMatch(/^HTTP\/1.1 408 /);
  expect(ms).toBeLessThan(15_000);
});

test("who asked and left gets no answer, and what he asked for is done", async () => {
  const { primary, url, fields } = await startCluster();
  const asked = request(`${url}/api/actions`, { method: "POST", headers: fields, agent: false });
  asked.on("error", () => {}).end(JSON.stringify({ action: "reload", options: { watchMs: 300, parallelism: 2 } }));
  await primary.event("reload", ({ step }) => step === "started");
  asked.destroy();
  const { action, outcome } = await primary.event("admin-action");
  expect([action, outcome]).toEqual(["reload", "done"]);
});

test("without the option nothing is, and at a Unix socket whoever reaches it may", async () => {
  const path = join(tmpdir(), `lb-admin-actions-${process.pid}.sock`);
  const primary = new PrimaryProcess("ledger.ts", {
    env: {
      LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances: 1, admin: { path, actions: true } }),
      LB_TEST_LEDGER: new Ledger().path,
    },
  });
  const [{ session, act }] = await Promise.all([startCluster({ port: 0, auth }), primary.up()]);
  expect([session.actions, session.csrfToken]).toEqual([false, null]);
  expect(await act({ action: "reload" })).toMatchObject({ status: 403 });

  const curl = (...args: string[]) =>
    JSON.parse(spawnSync("curl", ["-s", "--unix-socket", path, ...args], { encoding: "utf8" }).stdout);
  const { csrfToken } = curl("http://lb/api/session");
  const fields = ["-H", `x-lb-csrf: ${csrfToken}`, "-H", "content-type: application/json"];
  const scaled = curl("http://lb/api/actions", ...fields, "-d", '{"action":"scale","instances":2}');
  expect(scaled).toEqual({ version: 1, result: null });
  expect(await primary.event("admin-action")).toMatchObject({ by: "the socket", address: "unix", outcome: "done" });
});

test("under lb start: with --admin-actions, for who has the link", async () => {
  const shell = new Shell();
  shell.write(
    "app.cjs",
    'require("node:http").createServer((_, response) => response.end()).listen(process.env.PORT);',
  );
  await shell.start("app.cjs", "-i", "1", "-p", "0", "--name", "acts", "--admin", "0", "--admin-actions");
  const link = new URL((await shell.run("dashboard", "--name", "acts")).stdout.trim());
  expect((await httpGet(`${link.origin}/api/session`)).status).toBe(401);
  const opened = await httpGet(link.href);
  const cookie = opened.headers["set-cookie"]![0]!.split(";")[0]!;
  const session = JSON.parse((await httpGet(`${link.origin}/api/session`, { headers: { cookie } })).body);
  const fields = { "content-type": "application/json", "x-lb-csrf": session.csrfToken };
  const post = (headers: Record<string, string>) =>
    httpGet(`${link.origin}/api/actions`, { method: "POST", headers, body: '{"action":"scale","instances":2}' });
  expect((await post(fields)).status).toBe(401);
  expect((await post({ ...fields, cookie })).status).toBe(200);
  expect(JSON.parse((await shell.run("status", "--json")).stdout).instances).toHaveLength(2);
});
