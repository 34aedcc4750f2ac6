// One cluster with routes of every kind, driven from outside: to the app, to backends that are none of ours, to nobody.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { Server as SecureServer } from "node:https";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { siteOf } from "./support/files-front.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { RawClient } from "./support/raw-client.ts";
import { testCertificate } from "./support/test-certificate.ts";
import { placesOf, portOf, program, type Told, urlOf } from "./support/told-program.ts";

const folder = mkdtempSync(join(tmpdir(), "lb-routes-"));
const socketPath = join(folder, "local.sock");

let programs: Server[] = [];
let primary: PrimaryProcess;
let port: number;
const name = `routes-${process.pid}`;
const cli = resolve(import.meta.dirname, "../dist/cli.js");
const ends: (() => Promise<void> | void)[] = [];
const finished = (end: () => Promise<void> | void) => void ends.push(end);
const certificate = testCertificate(["DNS:localhost"], { finished });

beforeAll(async () => {
  programs = await Promise.all([
    program("api-1"),
    program("api-2"),
    program("v1"),
    program("v2"),
    program("slow", { delayMs: 5_000 }),
    program("secure", { certificate: { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) } }),
    program("local", { path: socketPath }),
  ]);
  const [api1, api2, v1, v2, slow] = programs.slice(0, 5).map(urlOf);
  const secure = `https://localhost:${portOf(programs[5]!)}`;
  const site = siteOf({ "logo.svg": "<svg/>" }, finished);
  const options = {
    name,
    port: 0,
    instances: 2,
    headers: { response: { set: { "X-All": "1", "X-Both": "all" } }, request: { set: { "X-All": "1" } } },
    limits: { maxBodyBytes: 100 },
    backends: {
      api: { endpoints: [api1, api2], strategy: "round-robin" },
      v1: { endpoints: [v1], affinity: "cookie" },
      v2: { endpoints: [v2], affinity: "cookie" },
      slow: { endpoints: [slow] },
      gone: { endpoints: ["http://127.0.0.1:1"] },
      secure: { endpoints: [secure], tls: { ca: certificate.cert }, host: "shop.example" },
      stranger: { endpoints: [secure] },
      local: { endpoints: [`unix:${socketPath}`] },
      based: { endpoints: [`${v1}/base`] },
      half: { endpoints: ["http://127.0.0.1:1", v1], strategy: "round-robin" },
    },
    routes: [
      { path: "/api/admin/*", to: "api", deny: ["127.0.0.0/8"] },
      { path: "/private/*", to: "app", basicAuth: { users: { ann: "secret-1", bob: `sha256:${sha256("secret-2")}` } } },
      { path: "/api/*", method: ["GET", "HEAD"], to: "api", stripPrefix: "/api" },
      { path: "/api/*", to: "api", maxBodyBytes: 1_000 },
      { path: "/users/:id/avatar", to: "v1", rewrite: "/img/{id}.png{query}" },
      { path: "/split", to: [{ backend: "v1", weight: 3 }, { backend: "v2" }] },
      { path: "/by-key", to: [{ backend: "v1" }, { backend: "v2" }], affinity: { query: "k" } },
      { path: "/slow", to: "slow", timeouts: { responseMs: 300 }, retry: false },
      { path: "/gone", to: "gone" },
      { path: "/secure", to: "secure" },
      { path: "/stranger", to: "stranger" },
      { path: "/local", to: "local" },
      { path: "/half", to: "half" },
      { host: ["old.example", "*.old.example"], to: { redirect: "https://new.example{uri}", status: 301 } },
      { path: "/down/*", to: { respond: { status: 503, body: "<h1>Later</h1>", headers: { "Retry-After": "60" } } } },
      { header: { "X-Canary": "2" }, to: "v2" },
      {
        path: "/ruled",
        to: "v1",
        headers: { request: { set: { "X-Own": "1" } }, response: { set: { "X-Both": "own" }, remove: ["Server"] } },
      },
      { path: "/turns", to: "app", strategy: "round-robin", affinity: false },
      { path: "/mixed/*", to: { files: site, fallthrough: true }, stripPrefix: "/mixed" },
      { path: "/mixed/*", to: "v1" },
      { path: "/based/*", to: "based", stripPrefix: "/based" },
      { path: "/moved/*", to: "v1", rewrite: "/base/{rest}{query}" },
      { path: "/kept/*", to: "based", rewriteLocations: false, rewriteCookies: false },
      { path: "/plain/*", to: "v1", rewriteCookies: "mounted" },
    ],
  };
  primary = new PrimaryProcess("handoff-app.ts", {
    env: { LB_TEST_OPTIONS: JSON.stringify(options) },
    finished,
  });
  ({ port } = await primary.up());
});

afterAll(async () => {
  for (const end of ends) await end();
  rmSync(folder, { recursive: true, force: true });
  for (const server of programs) {
    server.closeAllConnections();
    server.close();
  }
});

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function ask(target: string, { method = "GET", lines = "", host = "a.example", body = "" } = {}) {
  const client = await RawClient.ofTest(port);
  const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
  return client.send(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${length}${lines}\r\n${body}`).response(method);
}

async function told(target: string, options?: Parameters<typeof ask>[1]): Promise<Told> {
  const { body } = await ask(target, options);
  return JSON.parse(body.toString()) as Told;
}

describe("backends", () => {
  test("each request goes its way: by path, method, header, and what is left to the app", async () => {
    const by = [];
    for (let n = 0; n < 4; n += 1) by.push((await told("/api/x?y=1")).by);
    expect(by.toSorted()).toEqual(["api-1", "api-1", "api-2", "api-2"]);
    const { url, headers } = await told("/api/x?y=1", { lines: "X-Forwarded-Prefix: /evil\r\n" });
    expect([url, headers["x-forwarded-prefix"], headers["x-forwarded-for"], headers["host"]]).toEqual([
      "/x?y=1",
      "/api",
      "127.0.0.1",
      "a.example",
    ]);
    expect(await told("/api", {})).toMatchObject({ url: "/" });
    expect(await told("/api?z", {})).toMatchObject({ url: "/?z" });
    expect(await told("/api/p", { method: "POST", body: "x".repeat(500) })).toMatchObject({ url: "/api/p" });
    expect(await told("/users/7/avatar?s=2")).toMatchObject({ by: "v1", url: "/img/7.png?s=2" });
    expect(await told("/x", { lines: "X-Canary: 2\r\n" })).toMatchObject({ by: "v2", url: "/x" });
    expect((await ask("/x", { lines: "X-Canary: 3\r\n" })).headers["x-by"]).toBe(undefined);
    expect((await ask("/API/x")).headers["x-by"]).toBe(undefined);
  });

  test("a route has limits, time-outs and retries of its own", async () => {
    expect((await ask("/api/p", { method: "POST", body: "x".repeat(1_001) })).status).toBe(413);
    expect((await ask("/", { method: "POST", body: "x".repeat(101) })).status).toBe(413);
    const chunked = `3e9\r\n${"x".repeat(1_001)}\r\n0\r\n\r\n`;
    const client = await RawClient.ofTest(port);
    const head = "POST /api/p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect((await client.send(head + chunked).response()).status).toBe(413);
    const startedAt = performance.now();
    expect((await ask("/slow")).status).toBe(504);
    // Its own, and not the minute of all.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect((await ask("/gone")).status).toBe(502);
  });

  test("fields are changed as the cluster says, and as the route does before that", async () => {
    const response = await ask("/ruled");
    expect(response.headers).toMatchObject({ "x-all": "1", "x-both": "own", "x-by": "v1" });
    expect(response.headers["server"]).toBe(undefined);
    expect((JSON.parse(response.body.toString()) as Told).headers).toMatchObject({ "x-all": "1", "x-own": "1" });
    expect((await ask("/users/1/avatar")).headers).toMatchObject({ "x-both": "all", server: "theirs" });
  });

  test("a split is by weight, sticks by the backends' own cookies, which they do not see, and by keys", async () => {
    const seen: string[] = [];
    for (let n = 0; n < 60; n += 1) {
      const response = await ask("/split");
      const { by } = JSON.parse(response.body.toString()) as Told;
      seen.push(by);
      const cookie = String(response.headers["set-cookie"]).split(";")[0]!;
      expect(cookie).toMatch(new RegExp(`^lb-${by}=`));
      if (n >= 20) continue;
      const again = await told("/split", { lines: `Cookie: a=b; ${cookie}\r\n` });
      expect([again.by, again.headers["cookie"]]).toEqual([by, "a=b"]);
    }
    // Three in four, of 60: below 30 or above 58 comes once in a hundred thousand times.
    const first = seen.filter((by) => by === "v1").length;
    expect(first).toBeGreaterThan(29);
    expect(first).toBeLessThan(59);
    const byKey = new Map<string, string>();
    for (let n = 0; n < 40; n += 1) {
      const { by } = await told(`/by-key?k=${n % 20}`);
      expect(byKey.get(`${n % 20}`) ?? by).toBe(by);
      byKey.set(`${n % 20}`, by);
    }
    expect(new Set(byKey.values())).toEqual(new Set(["v1", "v2"]));
  });

  test("BAD-INPUTS 194: what comes back again and again is in a circle, and ends with 508", async () => {
    const { headers } = await told("/x", { lines: "X-Canary: 2\r\nVia: 1.0 theirs\r\n" });
    const ours = headers["via"]!;
    expect(ours).toMatch(/^1\.0 theirs, 1\.1 lb-[0-9a-f]{12}$/);
    const own = ours.split(", ")[1];
    const twice = { lines: `X-Canary: 2\r\nVia: ${own}\r\nVia: ${own}\r\n` };
    expect((await ask("/x", twice)).status).toBe(200);
    expect((await ask("/x", { lines: `${twice.lines}Via: ${own}\r\n` })).status).toBe(508);
    expect((await ask("/turns", { lines: `Via: ${own}, ${own}, ${own}\r\n` })).status).toBe(200);
  });

  test("what is no file of a directory goes on to the route behind it, where that is asked for", async () => {
    expect((await ask("/mixed/logo.svg")).body.toString()).toBe("<svg/>");
    expect(await told("/mixed/x?y=1")).toMatchObject({ by: "v1", url: "/mixed/x?y=1" });
    expect(await told("/mixed/logo.svg", { method: "POST" })).toMatchObject({ by: "v1", method: "POST" });
  });

  test("the endpoint's URL may have a path, and responses name places as clients find them", async () => {
    expect(await told("/based/x?y=1")).toMatchObject({ by: "v1", url: "/base/x?y=1" });
    expect(await told("/based")).toMatchObject({ url: "/base/" });
    const named = async (path: string) => {
      const { headers } = await ask(path);
      const { location, "content-location": content, "set-cookie": cookies } = headers;
      // Without the one that says where it belongs.
      return { location, content, cookies: cookies?.replace(/^lb-v1=[^,]*, /, "") };
    };
    const moved = (prefix: string) => ({
      location: `${prefix}/login`,
      content: `${prefix}/item/7`,
      cookies: `a=1; Path=${prefix}/admin, b=2; Path=/`,
    });
    expect(await named("/based/places")).toEqual(moved("/based"));
    expect(await named("/moved/places")).toEqual(moved("/moved"));
    const own = placesOf(programs[2]!);
    expect(await named("/kept/places")).toEqual({
      location: own.Location,
      content: own["Content-Location"],
      cookies: own["Set-Cookie"].join(", "),
    });
    expect(await named("/plain/places")).toEqual({
      location: "/base/login",
      content: "/base/item/7",
      cookies: "a=1; Path=/base/admin, b=2; Path=/",
    });
  });

  test("BAD-INPUTS 170: nothing leads out of the path that a route or an endpoint puts before", async () => {
    for (const path of ["/based/../x", "/based/..%2fx", "/moved/x/%2e%2e/..;/y", "/moved/..\\x"]) {
      expect((await ask(path)).status, path).toBe(400);
    }
    expect(await told("/moved/a..b/.x?../y")).toMatchObject({ url: "/base/a..b/.x?../y" });
    expect(await told("/api/x/../y")).toMatchObject({ url: "/x/../y" });
  });

  test("WebSockets go along, too", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/ws`);
    await once(socket, "open");
    socket.send("hello");
    const [answer] = await once(socket, "message");
    expect(String(answer)).toMatch(/^api-[12]: hello$/);
    socket.close();
    await once(socket, "close");
  });

  test("BAD-INPUTS 191: over TLS, if it is whom it should be; over Unix sockets", async () => {
    const { by, headers } = await told("/secure");
    expect([by, headers["host"], headers["x-forwarded-host"]]).toEqual(["secure", "shop.example", "a.example"]);
    expect((await ask("/stranger")).status).toBe(502);
    const untrusted = await primary.event("backend-untrusted");
    expect(untrusted).toMatchObject({ backend: "stranger", refused: 1, error: { code: "LB_UNTRUSTED" } });
    await expect.poll(() => primary.log).toMatch(/of the backend stranger is not believed .*self-signed/);
    expect((await told("/local")).by).toBe("local");
  });

  test("files of certificates are read anew, and connections that are made from then on go by them", async () => {
    const renewed = testCertificate(["DNS:localhost"], { finished });
    const server = programs[5] as SecureServer;
    expect((await told("/secure")).by).toBe("secure");
    server.setSecureContext({ cert: readFileSync(renewed.cert), key: readFileSync(renewed.key) });
    // Those that stand are of the certificate before.
    server.closeAllConnections();
    await expect.poll(async () => (await ask("/secure")).status).toBe(502);
    writeFileSync(certificate.cert, "no certificate");
    await expect(primary.operate("reloadCertificates")).rejects.toMatchObject({ code: "LB_CERTIFICATE" });
    copyFileSync(renewed.cert, certificate.cert);
    await primary.operate("reloadCertificates");
    await expect.poll(async () => (await ask("/secure")).status).toBe(200);
  });

  test("one that is ejected is told by name, and the status counts all of them", async () => {
    const endpoint = "http://127.0.0.1:1";
    for (let n = 0; n < 2; n += 1) expect((await ask("/half")).status).toBe(200);
    expect(await primary.event("backend-health")).toMatchObject({ backend: "half", endpoint });
    await expect.poll(() => primary.log).toContain(`${endpoint} of the backend half gets no requests`);
    const { backends } = await primary.status();
    expect(backends.map(({ name }) => name)).toEqual([
      "api",
      "v1",
      "v2",
      "slow",
      "gone",
      "secure",
      "stranger",
      "local",
      "based",
      "half",
    ]);
    const api = backends[0]!.endpoints;
    expect(api.map((one) => one.url)).toEqual(programs.slice(0, 2).map(urlOf));
    expect(api.every(({ requests, state }) => requests > 0 && state === "ready")).toBe(true);
  });
});

describe("what is answered in place of anybody", () => {
  test("redirects keep path and query, and pages are served", async () => {
    const moved = await ask("/a/b?c=d", { host: "x.old.example:80" });
    expect([moved.status, moved.headers["location"]]).toEqual([301, "https://new.example/a/b?c=d"]);
    expect((await ask("//evil.example", { host: "OLD.example." })).headers["location"]).toBe(
      "https://new.example//evil.example",
    );
    const down = await ask("/down/x");
    expect(down.status).toBe(503);
    expect(down.body.toString()).toBe("<h1>Later</h1>");
    expect(down.headers).toMatchObject({
      "retry-after": "60",
      "content-type": "text/html; charset=utf-8",
    });
  });

  test("addresses are kept out, by whatever path a program could take for theirs (BAD-INPUTS 179)", async () => {
    expect((await ask("/api/admin/x")).status).toBe(403);
    for (const path of ["/api//admin/x", "/api/x/../admin/y", "/api/%61dmin/x", "/x/..%2fapi/admin/"]) {
      expect((await ask(path)).status, path).toBe(400);
    }
    expect((await ask("/api/x%2fy")).status).toBe(200);
  });

  test("names and passwords are asked for", async () => {
    const authorization = (text: string) => ({
      lines: `Authorization: Basic ${Buffer.from(text).toString("base64")}\r\n`,
    });
    const asked = await ask("/private/x");
    expect([asked.status, asked.headers["www-authenticate"]]).toEqual([
      401,
      'Basic realm="Restricted", charset="UTF-8"',
    ]);
    for (const text of ["ann:secret-2", "eve:secret-1", "ann", "ann:", ":secret-1", "bob:sha256"]) {
      expect((await ask("/private/x", authorization(text))).status, text).toBe(401);
    }
    for (const text of ["ann:secret-1", "bob:secret-2"]) {
      expect((await ask("/private/x", authorization(text))).status, text).toBe(200);
    }
  });
});

test("lb routes shows them, and which one a request takes, and why", async () => {
  const run = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)(process.execPath, [cli, "routes", "--name", name, ...args], {
      env: { ...process.env, LB_CONTROL_DIR: join(tmpdir(), "lb-test-control"), NO_COLOR: "1" },
    });
    return stdout;
  };
  const all = await run();
  expect(all).toMatch(/^ 1 +\/api\/admin\/\* +api +deny$/m);
  expect(all).toMatch(/^ 6 +\/split +v1 × 3, v2 × 1$/m);
  expect(all).toMatch(/^14 .*old\.example +301 https:\/\/new\.example\{uri\}$/m);
  expect(all).toMatch(/^ +all others +app$/m);
  const one = await run("https://a.example/api/x", "-X", "POST");
  expect(one).toMatch(/^ 3 +GET\|HEAD \/api\/\* .*another method$/m);
  expect(one).toMatch(/^ 4 +\/api\/\* .*<- takes it$/m);
  expect(JSON.parse(await run("/x", "-H", "X-Canary: 2", "--json"))).toMatchObject({ taken: 15 });
  const mixed = await run("/mixed/logo.svg");
  expect(mixed).toMatch(/^19 +\/mixed\/\* +files of .*, if there +stripPrefix +<- takes it if there is such a file$/m);
  expect(mixed).toMatch(/^20 +\/mixed\/\* +v1 +<- takes it otherwise$/m);
  expect(await run("/mixed/logo.svg", "-X", "POST")).toMatch(/^20 +\/mixed\/\* +v1 +<- takes it$/m);
  expect(await run("/nowhere")).toMatch(/all others +app +<- takes it$/m);
  await expect(run("https://[/")).rejects.toThrow(/Option "url"/);
});

test("the app's own instances take turns on one route, and not on the others", async () => {
  const ids: string[] = [];
  for (let n = 0; n < 6; n += 1) ids.push(JSON.parse((await ask("/turns")).body.toString()).id);
  expect(ids[0]).not.toBe(ids[1]);
  expect(ids.filter((id) => id === ids[0])).toHaveLength(3);
});
