// Who is told when something is wrong, how often, and what becomes of the rest when he does not listen.

import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { resolve } from "node:path";
import { SMTPServer } from "smtp-server";
import { expect, onTestFinished, test } from "vitest";
import type { AlertMessage } from "../src/index.ts";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { attended, Shell } from "./support/shell.ts";

const secret = "a secret of at least sixteen characters";

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly message: AlertMessage;
}

/** Takes what is posted to it, after refusing some. */
async function receiver({ refuses = 0 } = {}) {
  const received: Received[] = [];
  let refused = 0;
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    if (refused < refuses) {
      refused += 1;
      response.writeHead(503).end();
      return;
    }
    received.push({ headers: request.headers, body, message: JSON.parse(body) as AlertMessage });
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    received,
    /** With a password in it, and a path that is as good as one. */
    url: `http://lb:pass%20word@127.0.0.1:${(server.address() as AddressInfo).port}/T0/secret-path`,
    texts: () => received.map(({ message }) => message.text),
  };
}

/** Accepts connections and says nothing. */
async function silent(): Promise<{ readonly port: number; readonly open: Set<Socket> }> {
  const open = new Set<Socket>();
  const server = createTcpServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    socket.resume();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, open };
}

function startCluster(alerts: object, options: object = {}) {
  const given = { port: 0, instances: 2, drainTimeoutMs: 500, alerts, ...options };
  return new PrimaryProcess("app.ts", { env: { LB_TEST_OPTIONS: JSON.stringify(given) } });
}

test("a crash loop that mends is two messages, signed, by HTTP and by mail", async () => {
  const hook = await receiver();
  const mails: string[] = [];
  const smtp = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _, done) =>
      password === "p@ss" ? done(null, { user: username }) : done(new Error("wrong password")),
    onData: async (stream, session, done) => {
      let mail = `${session.user} ${session.envelope.rcptTo.map(({ address }) => address)}\n`;
      for await (const part of stream) mail += part;
      mails.push(mail);
      done();
    },
  });
  const { port: smtpPort } = await new Promise<AddressInfo>((resolve) => {
    const server = smtp.listen(0, "127.0.0.1", () => resolve(server.address() as AddressInfo));
  });
  onTestFinished(() => new Promise((resolve) => smtp.close(resolve)));
  const mail = { smtp: `smtp://ops:p%40ss@127.0.0.1:${smtpPort}`, from: "LB <lb@test>", to: ["a@test", "b@test"] };
  const primary = startCluster(
    { to: [{ webhook: hook.url, secret }, { mail }], on: { instance: { forMs: 20_000, recoverForMs: 500 } } },
    { name: "shop", restart: { maxCrashes: 1, delayMs: 1, crashLoopDelayMs: 300 } },
  );
  const up = await primary.up();
  for (let death = 1; death <= 2; death++) {
    await primary.statusThat(({ instances: [first] }) => first!.state === "ready");
    await httpGet(`http://127.0.0.1:${up.instances[0]!.port}/exit?code=9`).catch(() => {});
    await primary.event("exit", ({ exitCode }) => exitCode === 9);
    await primary.statusThat(({ instances: [first] }) => first!.restarts === death || first!.state === "crash-loop");
  }
  await primary.event("alert", ({ state }) => state === "resolved");
  await eventually(() => mails.length === 2, { what: () => `two mails; there are ${mails.length}` });
  expect(hook.texts()).toEqual([
    expect.stringMatching(/^shop on .*: CRITICAL: instance 1 is in a crash loop: it ended 2 times in a row/),
    expect.stringMatching(/^shop on .*: RESOLVED after .*: instance 1 is in a crash loop/),
  ]);
  for (const { headers, body, message } of hook.received) {
    const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
    const expected = createHmac("sha256", secret).update(signed).digest("base64");
    expect(headers["webhook-signature"]).toBe(`v1,${expected}`);
    expect(headers.authorization).toBe(`Basic ${Buffer.from("lb:pass word").toString("base64")}`);
    expect(headers["webhook-id"]).toBe(message.id);
    expect(message).toMatchObject({ version: 1, kind: "alerts", cluster: "shop", omitted: 0 });
    expect(message.alerts).toMatchObject([{ rule: "instance", subject: "instance 1", severity: "critical" }]);
  }
  expect(mails[0]).toMatch(/^ops a@test,b@test\n/);
  expect(mails[0]).toMatch(/^Subject: shop on .*: CRITICAL: instance 1 is in a crash/m);
  expect(mails[1]).toMatch(/^Subject: shop on .*: RESOLVED after/m);
  await eventually(() => /alert: CRITICAL: instance 1 is in a crash loop/.test(primary.log), {
    what: "its line in the log",
  });
  expect(primary.log).not.toMatch(/secret-path|p@ss|pass word|sixteen/);
}, 30_000);

test("FAULTS 68: targets that are dead or silent hold up neither requests, nor the others, nor the end", async () => {
  const [hook, mute] = [await receiver({ refuses: 1 }), await silent()];
  const primary = startCluster({
    to: [
      { webhook: `http://127.0.0.1:${mute.port}/` },
      { slack: "http://127.0.0.1:9/services/T0/secret-path" },
      { mail: { smtp: `smtp://127.0.0.1:${mute.port}`, from: "lb@test", to: "ops@test" } },
      { webhook: hook.url },
    ],
    on: { errorRate: { forMs: 1_000, minRequests: 20 }, latency: { p95Ms: 5_000, minRequests: 1 } },
  });
  const up = await primary.up();
  let slowestMs = 0;
  await eventually(
    async () => {
      const began = performance.now();
      // Twenty a second on a slow machine, too.
      await Promise.all(Array.from({ length: 4 }, () => httpGet(`${up.url}/fail`)));
      slowestMs = Math.max(slowestMs, performance.now() - began);
      return hook.texts().length === 1;
    },
    { what: "a message of the error rate" },
  );
  // Each of the others has 10 s.
  expect(slowestMs).toBeLessThan(5_000);
  expect(hook.texts()).toEqual([expect.stringMatching(/CRITICAL: .* % of the requests failed in the last 1 s/)]);
  const failed = await primary.event("alert-failed", ({ target }) => target.startsWith("slack"));
  expect(failed).toEqual({
    target: "slack 127.0.0.1:9",
    error: expect.stringMatching(/ECONNREFUSED|bad port/),
    retryInMs: expect.any(Number),
    lost: 0,
  });
  await eventually(
    async () => {
      await httpGet(`${up.url}/whoami`);
      return hook.texts().length === 2;
    },
    { what: () => `the error rate's end; there were ${hook.texts().join("\n")}` },
  );
  expect(hook.texts()[1]).toMatch(/RESOLVED after .* of the requests failed/);
  await eventually(() => mute.open.size === 2, { what: "one connection of each that has no answer" });
  const began = performance.now();
  await primary.close();
  expect(performance.now() - began).toBeLessThan(5_000);
  await eventually(() => mute.open.size === 0, { what: "connections that were given up" });
  expect(primary.log).not.toMatch(/secret-path|pass word/);
}, 30_000);

test("lb alert test says what each target said, by a configuration file too", async () => {
  const hook = await receiver();
  const shell = new Shell();
  shell.write(
    "app.cjs",
    'require("node:http").createServer((_, response) => response.end()).listen(process.env.PORT);',
  );
  const alerts = { to: [{ webhook: hook.url }, { slack: hook.url }, { webhook: "http://127.0.0.1:9/secret-path" }] };
  shell.write("lb.config.json", JSON.stringify({ entry: "app.cjs", instances: 1, port: 0, name: "shop", alerts }));
  const { child, exited } = await shell.start();
  const { code, stdout, stderr } = await shell.run("alert", "test");
  const [, webhook, slack, dead] = stdout.split("\n");
  expect(webhook).toMatch(/^webhook http:\/\/127\.0\.0\.1:\d+ +took it +\d+ ms$/);
  expect(slack).toMatch(/^slack 127\.0\.0\.1:\d+ +took it +\d+ ms$/);
  expect(dead).toMatch(/^webhook http:\/\/127\.0\.0\.1:9 +(connect ECONNREFUSED|bad port)/);
  expect([code, stderr]).toEqual([1, "lb: 1 of 3 did not take it.\n"]);
  expect(stdout).not.toMatch(/secret-path|pass/);
  expect(hook.received.map(({ body }) => JSON.parse(body) as object)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ kind: "test", cluster: "shop", alerts: [] }),
      { text: expect.stringMatching(/^shop on .*: this is a test, nothing is wrong$/) },
    ]),
  );
  expect((await shell.run("alert", "tset")).code).toBe(2);
  child.kill("SIGTERM");
  await exited;
});

test("mail without nodemailer is an option error that says what to install", async () => {
  const shell = new Shell();
  rmSync(resolve(shell.folder, "node_modules"));
  const core = resolve(import.meta.dirname, "../dist/index.js");
  const mail = { smtp: "smtp://ops:p%40ss@127.0.0.1", from: "lb@test", to: "ops@test" };
  const script = shell.write(
    "start.mjs",
    `import { cluster } from ${JSON.stringify(core)};
    await cluster({ port: 0, log: false, alerts: { to: [{ mail: ${JSON.stringify(mail)} }] } }, () => {}).catch((error) =>
      console.log(error.code, error.message));`,
  );
  const { said, exited } = attended(
    spawn(process.execPath, [script], {
      cwd: shell.folder,
      env: { ...shell.env, NODE_PATH: "" },
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  expect(await exited).toBe(0);
  expect(said()).toMatch(/^LB_OPTION Option "alerts\.to\[0\]\.mail" is an object: .*npm install nodemailer/);
});
