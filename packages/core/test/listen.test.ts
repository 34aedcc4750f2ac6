// Programs that know nothing of us, as their authors wrote them: where they listen, how they are run, how they fail.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { request } from "node:https";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { freePorts, takePort } from "./support/free-ports.ts";
import { httpGet } from "./support/http-get.ts";
import { allGone, childrenOf, descendantsOf } from "./support/processes.ts";
import { Shell } from "./support/shell.ts";
import { listensOf } from "./support/sockets.ts";

/** Its listener is none of the program's. */
const noAdmin = ["--admin", "off"] as const;

const facts = `JSON.stringify({
  id: process.env.INSTANCE_ID, port: process.env.PORT, own: process.env.INSTANCE_PORT,
  local: request.socket.localPort, client: request.socket.remoteAddress,
})`;

interface Facts {
  readonly id: string;
  readonly port: string;
  readonly own: string;
  readonly local: number;
  readonly client: string;
}

async function factsAt(port: number, count = 6): Promise<Facts[]> {
  const answers = Array.from({ length: count }, () => httpGet(`http://127.0.0.1:${port}/`));
  return (await Promise.all(answers)).map(({ body }) => JSON.parse(body) as Facts);
}

async function instancePids(shell: Shell): Promise<number[]> {
  const { stdout } = await shell.run("status", "--json");
  return (JSON.parse(stdout) as { instances: { pid: number }[] }).instances.map(({ pid }) => pid);
}

const ids = (seen: readonly Facts[]) => [...new Set(seen.map(({ id }) => id))].sort();

const listenOn = (port: string) =>
  `require("node:http").createServer((request, response) => response.end(${facts})).listen(${port})`;

describe.each(["proxy", "handoff"])("in %s mode", (mode) => {
  test.each([
    ["guard.cjs", `if (require.main === module) ${listenOn("process.env.PORT")};`],
    [
      "guard.mjs",
      `import http from "node:http";
       if (import.meta.filename === process.argv[1])
         http.createServer((request, response) => response.end(${facts})).listen({ port: process.env.PORT, host: "0.0.0.0" });`,
    ],
    ["hard-coded.cjs", listenOn("8080")],
    ["late.cjs", `setTimeout(() => ${listenOn("process.env.PORT, '::'")}, 300);`],
  ])("%s runs as main, listens where it likes, and only on loopback", async (name, text) => {
    const shell = new Shell();
    shell.write(name, text);
    const first = await freePorts(3);
    const beside = ["--start-parallelism", "all"];
    const { child, port } = await shell.start(
      name,
      ...noAdmin,
      "-i",
      "2",
      "-p",
      String(first),
      "--mode",
      mode,
      ...beside,
    );
    const seen = await factsAt(port);
    expect(ids(seen)).toEqual(["1", "2"]);
    for (const { id, port: told, own, client } of seen) {
      expect({ told, own, client }).toEqual({ told: `${first}`, own: `${first + Number(id)}`, client: "127.0.0.1" });
    }
    for (const id of [1, 2]) expect(ids(await factsAt(first + id, 1))).toEqual([`${id}`]);
    expect(listensOf([child.pid!, ...childrenOf(child.pid!)])).toEqual(
      [first, first + 1, first + 2].map((at) => `127.0.0.1:${at}`),
    );
  });

  test("after a reload an instance has its own port again, and was never told another", {
    timeout: 60_000,
  }, async () => {
    const shell = new Shell();
    shell.write("app.cjs", listenOn("process.env.PORT"));
    const first = await freePorts(3);
    const { child, port } = await shell.start("app.cjs", ...noAdmin, "-i", "2", "-p", String(first), "--mode", mode);
    const before = await instancePids(shell);
    expect((await shell.run("reload", "--watch", "100")).code).toBe(0);
    await allGone(before);
    const seen = await factsAt(port);
    expect(new Set(seen.map(({ id, port: told, own }) => `${id} ${told} ${own}`))).toEqual(
      new Set([1, 2].map((id) => `${id} ${first} ${first + id}`)),
    );
    for (const id of [1, 2]) {
      await expect.poll(() => factsAt(first + id, 1).then(ids, () => [])).toEqual([`${id}`]);
    }
    for (const at of listensOf([child.pid!, ...childrenOf(child.pid!)])) expect(at).toMatch(/^127\.0\.0\.1:/);
  });

  test("a second server on a fixed port is there once, its connections go to all instances", async () => {
    const shell = new Shell();
    const [further, first] = [await freePorts(1), await freePorts(3)];
    shell.write("app.cjs", `${listenOn(`${further}`)}; setTimeout(() => ${listenOn("process.env.PORT")}, 200);`);
    const { child, port, exited } = await shell.start(
      "app.cjs",
      ...noAdmin,
      "-i",
      "2",
      "-p",
      `${first}`,
      "--mode",
      mode,
    );
    for (const seen of [await factsAt(port), await factsAt(further)]) {
      expect(ids(seen)).toEqual(["1", "2"]);
      for (const { client } of seen) expect(client).toBe("127.0.0.1");
    }
    expect(listensOf([child.pid!])).toEqual([first, further].sort((a, b) => a - b).map((at) => `127.0.0.1:${at}`));
    const [killed] = await instancePids(shell);
    process.kill(killed!, "SIGKILL");
    await eventually(async () => ids(await factsAt(further).catch(() => [])).length === 2, { what: "both again" });
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
    await expect(httpGet(`http://127.0.0.1:${further}/`)).rejects.toThrow("ECONNREFUSED");
  });

  test("an https app is served over the public port, and with TLS on its instances' own", async () => {
    const shell = new Shell();
    makeCertificate(shell);
    shell.write(
      "app.cjs",
      `const { readFileSync } = require("node:fs");
       const pair = { key: readFileSync("key.pem"), cert: readFileSync("cert.pem") };
       require("node:https").createServer(pair, (request, response) => {
         response.end(process.env.INSTANCE_ID + " " + (request.socket.encrypted === true));
       }).listen(process.env.PORT);`,
    );
    const first = await freePorts(3);
    const { port } = await shell.start("app.cjs", ...noAdmin, "-i", "2", "-p", String(first), "--mode", mode);
    expect((await httpGet(`http://127.0.0.1:${port}/`)).body).toMatch(/^[12] false$/);
    expect((await httpGet(`http://127.0.0.1:${first + 1}/`)).body).toBe("1 false");
    const ca = readFileSync(join(shell.folder, "cert.pem"));
    const body = new Promise<string>((resolve, reject) => {
      const options = { host: "127.0.0.1", port: first + 2, ca, servername: "localhost", agent: false };
      request(options, (response) => response.setEncoding("utf8").on("data", resolve))
        .once("error", reject)
        .end();
    });
    expect(await body).toBe("2 true");
  });
});

function makeCertificate({ folder }: Shell): void {
  const files = ["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost", "-days", "2"];
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", ...files];
  execFileSync("openssl", made, { cwd: folder, stdio: "ignore" });
}

const launcher = `
  const { spawn } = require("node:child_process");
  const child = spawn(process.execPath, ["child.cjs"], { stdio: "inherit" });
  child.on("exit", (code) => process.exit(code ?? 1));
  process.on("SIGTERM", () => child.kill("SIGTERM"));`;

const innerCluster = `
  const cluster = require("node:cluster");
  if (cluster.isPrimary) for (let n = 0; n < 2; n += 1) cluster.fork();
  else require("./child.cjs");`;

const thread = `new (require("node:worker_threads").Worker)("./child.cjs", { env: { ...process.env, MORE: "1" } });`;

describe.each([
  ["a launcher", launcher],
  ["an app that uses node:cluster", innerCluster],
  ["an app in a worker thread", thread],
])("%s", (_, text) => {
  test("is served where it listens, and loses nothing in a reload", { timeout: 60_000 }, async () => {
    const shell = new Shell();
    shell.write("app.cjs", text);
    shell.write(
      "child.cjs",
      `const server = require("node:http").createServer((request, response) => {
         setTimeout(() => response.end(process.env.INSTANCE_ID + " " + request.headers["x-forwarded-for"]), 20);
       }).listen(process.env.PORT);
       process.on("SIGTERM", () => server.close(() => process.exit(0)));`,
    );
    const first = await freePorts(3);
    const beside = ["--start-parallelism", "all"];
    const { child, port, exited } = await shell.start("app.cjs", ...noAdmin, "-i", "2", "-p", String(first), ...beside);
    const seen = await Promise.all(Array.from({ length: 6 }, () => httpGet(`http://127.0.0.1:${port}/`)));
    expect([...new Set(seen.map(({ body }) => body))].sort()).toEqual(["1 127.0.0.1", "2 127.0.0.1"]);
    const all = descendantsOf(child.pid!);
    for (const at of listensOf([child.pid!, ...all])) expect(at).toMatch(/^127\.0\.0\.1:/);
    let running = true;
    const statuses = new Set<number | string>();
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (running) statuses.add(await httpGet(`http://127.0.0.1:${port}/`).then(({ status }) => status, String));
      }),
    );
    expect((await shell.run("reload", "--watch", "200")).code).toBe(0);
    running = false;
    await load;
    expect([...statuses]).toEqual([200]);
    for (const id of [1, 2]) {
      const own = () => httpGet(`http://127.0.0.1:${first + id}/`).then(({ body }) => body, String);
      await expect.poll(own).toMatch(new RegExp(`^${id} `));
    }
    const left = descendantsOf(child.pid!);
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
    await allGone([...all, ...left]);
  });

  test("is refused in hand-off mode, with the remedy", async () => {
    const shell = new Shell();
    shell.write("app.cjs", text);
    shell.write("child.cjs", `require("node:http").createServer().listen(process.env.PORT)`);
    const { code, stderr } = await shell.run("start", "app.cjs", "-i", "1", "-p", "0", "--mode", "handoff");
    expect(code).toBe(1);
    expect(stderr).toContain('use mode "proxy"');
  });
});

describe("a launcher whose server is not of HTTP in the clear", () => {
  const child = (server: string) => {
    const shell = new Shell();
    makeCertificate(shell);
    shell.write("app.cjs", launcher);
    shell.write(
      "child.cjs",
      `const { readFileSync } = require("node:fs");
       const pair = { key: readFileSync("key.pem"), cert: readFileSync("cert.pem") };
       const answer = (request, response) => response.end(String(request.socket.encrypted === true));
       ${server}.listen(process.env.PORT);`,
    );
    return shell;
  };

  test.each([
    ["https", `require("node:https").createServer(pair, answer)`],
    ["http2 with allowHTTP1", `require("node:http2").createSecureServer({ ...pair, allowHTTP1: true }, answer)`],
  ])("works with %s, without TLS", async (_, server) => {
    const { port } = await child(server).start("app.cjs", "-i", "1", "-p", String(await freePorts(2)));
    expect((await httpGet(`http://127.0.0.1:${port}/`)).body).toBe("false");
  });

  test.each([
    ["HTTP/2 alone", `require("node:http2").createServer(answer)`, "speaks HTTP/2 only"],
    ["TLS and nothing that we know", `require("node:tls").createServer(pair)`, "speaks TLS only"],
  ])("fails at once with %s, and says so", async (_, server, why) => {
    const shell = child(server);
    const { code, stderr } = await shell.run("start", "app.cjs", "-i", "1", "-p", String(await freePorts(2)));
    expect([code, stderr]).toEqual([1, expect.stringContaining(why)]);
  });
});

test("a program that waits for its processes to end, and does not tell them to, ends at once", async () => {
  const shell = new Shell();
  shell.write(
    "app.cjs",
    `const cluster = require("node:cluster");
     if (cluster.isPrimary) {
       for (let n = 0; n < 2; n += 1) cluster.fork();
       process.once("SIGTERM", () => cluster.on("exit", () => Object.keys(cluster.workers).length || process.exit(0)));
     } else require("./child.cjs");`,
  );
  shell.write(
    "child.cjs",
    `const server = ${listenOn("process.env.PORT")};
     process.once("SIGTERM", () => { console.log("told"); server.close(() => process.exit(0)); });`,
  );
  const { child, exited, said } = await shell.start("app.cjs", ...noAdmin, "-i", "1", "-p", "0");
  const startedAt = performance.now();
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(said().split("told")).toHaveLength(3);
});

test.each([
  ["an app that uses node:cluster", innerCluster],
  ["an app in a worker thread", thread],
])("%s is served where it listens on a hard-coded port", async (_, text) => {
  const shell = new Shell();
  shell.write("app.cjs", text);
  shell.write("child.cjs", listenOn("8080, '0.0.0.0'"));
  const first = await freePorts(3);
  const { child, port } = await shell.start(
    "app.cjs",
    ...noAdmin,
    "-i",
    "2",
    "-p",
    `${first}`,
    "--start-parallelism",
    "all",
  );
  expect(ids(await factsAt(port))).toEqual(["1", "2"]);
  expect(listensOf([child.pid!, ...descendantsOf(child.pid!)])).toEqual(
    [first, first + 1, first + 2].map((at) => `127.0.0.1:${at}`),
  );
});

test("what a program has threads listen on besides stays there, on loopback", async () => {
  const shell = new Shell();
  const metrics = await freePorts(1);
  shell.write("app.cjs", `${thread} setTimeout(() => ${listenOn("process.env.PORT")}, 500);`);
  shell.write("child.cjs", listenOn(String(metrics)));
  const first = await freePorts(2);
  const { child, port } = await shell.start("app.cjs", ...noAdmin, "-i", "1", "-p", String(first), "--mode", "handoff");
  expect(ids(await factsAt(port))).toEqual(["1"]);
  await eventually(() => factsAt(metrics, 1).then(ids, () => undefined), { what: "the thread's own port" });
  expect(listensOf([child.pid!, ...childrenOf(child.pid!)])).toEqual(
    [first, first + 1, metrics].sort((a, b) => a - b).map((at) => `127.0.0.1:${at}`),
  );
});

test("what listen fails with reaches the program, as in plain Node", async () => {
  const shell = new Shell();
  const { port: taken, server } = await takePort();
  shell.write(
    "app.cjs",
    `const http = require("node:http");
     const failed = (error) => console.log("failed:", error.code, error.syscall, error.address, error.port, error.message);
     http.createServer().listen(${taken}, "127.0.0.1").on("error", failed);
     ${listenOn("process.env.PORT")}.on("listening", () => http.createServer().listen(process.env.PORT).on("error", failed));`,
  );
  const { port, said } = await shell.start("app.cjs", ...noAdmin, "-i", "1", "-p", "0");
  server.close();
  const expected = createServer().listen(port, "127.0.0.1");
  expected.once("error", () => {});
  await eventually(() => said().split("failed:").length === 3, { what: "two failures" });
  expect(said()).toContain(
    `EADDRINUSE listen 127.0.0.1 ${taken} listen EADDRINUSE: address already in use 127.0.0.1:${taken}`,
  );
  expect(said()).toContain(`EADDRINUSE listen :: ${port} listen EADDRINUSE: address already in use :::${port}`);
  expect((await factsAt(port, 1))[0]!.id).toBe("1");
});

test.each([
  ["throws.cjs", `throw new Error("no database")`, /throws\.cjs threw before it listened: no database/],
  ["throws.mjs", `import "./missing.mjs"`, /throws\.mjs threw before it listened: Cannot find module/],
  ["rejects.mjs", `await Promise.reject(new Error("no cache"))`, /rejects\.mjs threw before it listened: no cache/],
  ["later.cjs", `setTimeout(() => { throw new Error("late") }, 50)`, /later\.cjs threw before it listened: late/],
  ["ends.cjs", `console.log("bye")`, /ends\.cjs ended with exit code 0 before it listened/],
  ["exits.cjs", `process.exit(3)`, /exits\.cjs ended with exit code 3 before it listened/],
  ["h2.cjs", `require("node:http2").createServer().listen(process.env.PORT)`, /speaks HTTP\/2 only.*allowHTTP1/],
  [
    "twice.mjs",
    `import { cluster } from ${JSON.stringify(resolve(import.meta.dirname, "../dist/index.js"))}; await cluster(() => () => {})`,
    /calls cluster\(\) itself/,
  ],
])("%s is told as it is, in seconds", async (name, text, told) => {
  const shell = new Shell();
  shell.write(name, text);
  const startedAt = performance.now();
  const { code, stdout, stderr } = await shell.run("start", name, "-i", "1", "-p", "0");
  expect(code).toBe(1);
  expect(stderr).toMatch(told);
  expect(stderr).not.toContain("callback");
  expect(stdout.concat(stderr).split("at Module._compile").length).toBeLessThanOrEqual(2);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});

test("the instances' own ports open beyond loopback when asked", async () => {
  const shell = new Shell();
  const first = await freePorts(2);
  shell.write(
    "lb.config.mjs",
    `export default { entry: "app.cjs", instances: 1, port: ${first}, workerHost: "0.0.0.0" };`,
  );
  shell.write("app.cjs", listenOn("process.env.PORT"));
  const { child } = await shell.start();
  expect(listensOf(childrenOf(child.pid!))).toEqual([`0.0.0.0:${first + 1}`]);
  expect((await httpGet(`http://127.0.0.1:${first + 1}/`)).status).toBe(200);
});
