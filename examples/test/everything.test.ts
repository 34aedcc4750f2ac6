// examples/everything: each part of it, in a browser and by raw sockets.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { Agent, get } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../packages/core/test/support/eventually.ts";
import { freePorts } from "../../packages/core/test/support/free-ports.ts";
import { attended, cli } from "../../packages/core/test/support/shell.ts";
import { launchBrowser } from "./browser.ts";

const folder = resolve(import.meta.dirname, "../everything");

/** A service on another machine. */
async function billing(): Promise<string> {
  const server = createServer(({ url, headers }, response) => response.end(`billing: ${url} via ${headers.via}`));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function started() {
  const home = mkdtempSync(join(tmpdir(), "lb-everything-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const [port, httpsPort] = [await freePorts(5), await freePorts(1)];
  const env = {
    ...process.env,
    HOME: home,
    XDG_STATE_HOME: undefined,
    LB_CONTROL_DIR: join(home, "control"),
    NO_COLOR: "1",
    HTTP_PORT: `${port}`,
    HTTPS_PORT: `${httpsPort}`,
    BILLING: await billing(),
    ADMIN: "a secret",
  };
  const child = spawn(process.execPath, [cli, "start"], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const { said, exited } = attended(child);
  await eventually(
    () => {
      if (child.exitCode !== null) throw new Error(said());
      return said().includes("listens on");
    },
    { withinMs: 25_000, what: "a cluster that listens" },
  );
  return { port, httpsPort, child, said, exited };
}

test("one configuration is TLS, redirect, API, sticky Socket.IO, files, Python, a service elsewhere, and limits", async () => {
  const { port, httpsPort, child, said, exited } = await started();
  const origin = `https://localhost:${httpsPort}`;
  const agent = new Agent({ rejectUnauthorized: false, keepAlive: false });
  onTestFinished(() => agent.destroy());
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const [response] = await once(get(`${origin}${path}`, { agent, headers }), "response");
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };

  // In a browser: the page, its files, the API in turns, a socket, Python, the service elsewhere.
  const browser = await launchBrowser();
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(`http://localhost:${port}/?from=plain`);
  expect(page.url()).toBe(`${origin}/?from=plain`);
  const shown = (id: string) => expect.poll(() => page.textContent(`#${id}`));
  await shown("protocol").toBe("https: h2");
  await shown("reports").toBe("python: /daily?day=1");
  await shown("billing").toMatch(
    /^billing: \/v2\/invoices\?year=2026 via 2\.0|^billing: \/v2\/invoices\?year=2026 via 1\.1 lb-/,
  );
  await shown("socket").toMatch(/^hello from (\d) \(instance \1\)$/);
  const instances = (await page.textContent("#api"))!.match(/\d/g)!;
  expect(new Set(instances).size).toBe(4);
  expect(errors).toEqual([]);

  // By hand: guards, redirects, pages, files, security fields.
  expect((await ask("/admin/x")).status).toBe(401);
  const authorization = `Basic ${Buffer.from("admin:a secret").toString("base64")}`;
  expect((await ask("/admin/x", { authorization })).status).toBe(200);
  expect((await ask("/blog/a?b=c")).headers.location).toBe("https://blog.example/blog/a?b=c");
  const closed = await ask("/closed");
  expect([closed.status, closed.body, closed.headers["retry-after"]]).toEqual([503, "<h1>Back at nine</h1>", "3600"]);
  const style = await ask("/style.css");
  expect([style.status, style.headers["content-type"], style.headers["x-content-type-options"]]).toEqual([
    200,
    "text/css; charset=utf-8",
    "nosniff",
  ]);
  expect((await ask("/style.css", { "if-none-match": style.headers.etag! })).status).toBe(304);
  expect((await ask("/style.css", { range: "bytes=0-3" })).body).toBe("body");
  expect((await ask("/../server.js")).status).toBe(404);
  expect((await ask("/gone")).status).toBe(404);
  const told = JSON.parse((await ask("/api/x?y")).body);
  expect(told).toMatchObject({ url: "/api/x?y", host: `localhost:${httpsPort}`, encrypted: true, method: "GET" });
  expect((await ask("/health")).status).toBe(200);

  // One Python process dies: nobody sees it, and it is back.
  const pids = async () => JSON.parse((await ask("/reports/")).body).pid as number;
  const before = await pids();
  process.kill(before, "SIGKILL");
  for (let n = 0; n < 10; n += 1) expect((await ask("/reports/x")).status).toBe(200);

  // More connections than one address may have.
  await page.close();
  const sockets = Array.from({ length: 40 }, () => connect(port, "127.0.0.1"));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) socket.on("error", () => {});
  const refused = () => sockets.filter((socket) => socket.readableEnded || socket.destroyed || socket.bytesRead > 0);
  for (const socket of sockets) socket.resume();
  await expect.poll(() => refused().length).toBeGreaterThanOrEqual(20);
  expect(sockets.length - refused().length).toBeGreaterThan(0);
  for (const socket of sockets) socket.destroy();

  child.kill("SIGTERM");
  expect(await exited, said()).toBe(0);
});
