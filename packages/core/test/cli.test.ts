// The built command as a user runs it: unmodified apps, a terminal's commands, exit codes.
import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { Ledger } from "./support/ledger.ts";
import { Shell } from "./support/shell.ts";

const apps = {
  "http.cjs": `
    const http = require("node:http");
    http.createServer((_, response) => response.end(\`\${process.env.INSTANCE_ID} \${process.argv.slice(2)}\`)).listen(process.env.PORT);`,
  "express.cjs": `
    const express = require("express");
    const app = express();
    app.get("/", (request, response) => response.send(\`\${process.env.INSTANCE_ID} \${request.ip}\`));
    app.listen(process.env.PORT);`,
  "fastify.mjs": `
    import fastify from "fastify";
    const app = fastify();
    app.get("/", async (request) => \`\${process.env.INSTANCE_ID} \${request.ip}\`);
    await app.listen({ port: Number(process.env.PORT) });`,
  "koa.mjs": `
    import Koa from "koa";
    const app = new Koa();
    app.use((context) => { context.body = \`\${process.env.INSTANCE_ID} \${context.ip}\`; });
    app.listen(process.env.PORT);`,
  "socket.mjs": `
    import { createServer } from "node:http";
    import { Server } from "socket.io";
    const server = createServer((_, response) => response.end(\`\${process.env.INSTANCE_ID} 127.0.0.1\`));
    new Server(server);
    server.listen(process.env.PORT);`,
};

const answers = async (port: number, count = 12) =>
  Promise.all(Array.from({ length: count }, async () => (await httpGet(`http://127.0.0.1:${port}/`)).body));

test.each(Object.keys(apps) as (keyof typeof apps)[])("runs %s, which knows nothing of us", async (name) => {
  const shell = new Shell();
  shell.write(name, apps[name]);
  const { port } = await shell.start(name, "-i", "2", "-p", "0");
  const seen = await answers(port);
  expect(new Set(seen.map((text) => text.split(" ")[0]))).toEqual(new Set(["1", "2"]));
  if (name !== "http.cjs") for (const text of seen) expect(text).toMatch(/^\d 127\.0\.0\.1$/);
});

test("operates a cluster from the outside, with exit codes that scripts can use", { timeout: 60_000 }, async () => {
  const shell = new Shell();
  const nobody = await shell.run("status");
  expect([nobody.code, nobody.stderr]).toEqual([3, expect.stringContaining("lb start")]);
  shell.write("http.cjs", apps["http.cjs"]);
  const { port, exited } = await shell.start("http.cjs", "-i", "2", "-p", "0", "--name", "shop", "--", "one", "two");
  expect(await answers(port, 1)).toEqual([expect.stringContaining("one,two")]);
  expect(statSync(join(shell.folder, "control")).mode & 0o777).toBe(0o700);

  const table = await shell.run("status");
  expect(table.stdout).toMatch(
    /shop {2}http:.*\n.*\b1 request, none with 5xx.*\n\nid {2}state .*memory\n 1 {2}ready .*\n 2 {2}ready /,
  );
  expect(table.stdout).not.toContain("\u001b");
  const { stdout: json } = await shell.run("status", "--json", "--name", "shop");
  const status = JSON.parse(json) as { instances: { pid: number }[] };
  expect(status.instances).toHaveLength(2);

  const tried = await shell.run("test", "-n", "20");
  expect([tried.code, tried.stdout]).toEqual([
    0,
    expect.stringMatching(/instance 1 .*#\ninstance 2 .*#\nstatus 200: 20/),
  ]);

  const reload = await shell.run("reload", "--watch", "50");
  expect([reload.code, reload.stdout]).toEqual([
    0,
    expect.stringContaining("[2/2] instance 2 replaced\nreplaced 2 instances"),
  ]);
  expect((await shell.run("scale", "+1")).stdout).toContain("3 instances now (before: 2)");
  expect((await shell.run("scale", "-3")).code).toBe(2);
  expect((await shell.run("drain", "3")).code).toBe(0);
  expect((await shell.run("status")).stdout).toMatch(/ 3 {2}drained/);
  expect((await shell.run("resume", "3")).code).toBe(0);
  expect((await shell.run("restart", "1")).code).toBe(0);
  expect((await shell.run("restart", "all")).stdout).toContain("replaced 3 instances");
  expect((await shell.run("restart", "9")).code).toBe(2);
  expect((await shell.run("scale", "many")).code).toBe(2);
  expect((await shell.run("status", "--name", "other")).stderr).toContain("shop (pid");
  expect((await shell.run("statos")).stderr).toContain("status");

  const stopped = await shell.run("stop");
  expect([stopped.code, stopped.stdout]).toEqual([0, "shop has ended\n"]);
  expect(await exited).toBe(0);
  expect((await shell.run("stop")).code).toBe(3);
});

test("clusters that start are there to be asked, two of one name are told apart, and ls shows all", async () => {
  const shell = new Shell();
  shell.write("http.cjs", apps["http.cjs"]);
  shell.write(
    "gated.cjs",
    `const gate = setInterval(() => {
       if (process.env.INSTANCE_ID === "2" && !require("node:fs").existsSync("open")) return;
       clearInterval(gate);
       require("node:http").createServer((_, response) => response.end()).listen(process.env.PORT);
     }, 20);`,
  );
  await shell.start("http.cjs", "-i", "1", "-p", "0", "--name", "shop");
  const second = shell.spawn("start", "gated.cjs", "-i", "2", "-p", "0", "--name", "shop");
  const starting = await eventually(
    async () => {
      const { stdout } = await shell.run("ls");
      return stdout.includes("starting, 1 of 2 ready") && stdout;
    },
    { what: "a cluster that starts", withinMs: 20_000 },
  );
  expect(starting).toMatch(/^name .*\nshop +\d+ +http:\S+ +proxy +1 of 1 .* running\nshop-2 +\d+ .* 1 of 2 /);
  expect((await shell.run("status")).code).toBe(2);
  expect((await shell.run("status", "--name", "shop-2")).stdout).toMatch(/^shop-2 .*starting, 1 of 2 ready\n/);
  const reload = shell.run("reload", "--name", "shop-2", "--watch", "20ms");
  await eventually(() => second.said().includes("starting: 1 of 2 ready"), { what: "progress" });
  shell.write("open", "");
  expect((await reload).stdout).toContain("replaced 2 instances");
  expect(second.said()).toMatch(/another cluster is called shop: to the lb command this one is shop-2\n/);
  expect(second.said()).toMatch(/lb: starting: 1 of 2 ready\n(.*\n)*lb: shop listens on .* with 2 instances/);
});

test("clusters of one name that start at the same moment are told apart", async () => {
  const shell = new Shell();
  shell.write("http.cjs", apps["http.cjs"]);
  const started = Array.from({ length: 3 }, () =>
    shell.spawn("start", "http.cjs", "-i", "1", "-p", "0", "--name", "shop"),
  );
  await eventually(() => started.every(({ said }) => said().includes("listens on")), { what: "all have started" });
  const { stdout } = await shell.run("ls");
  expect([...stdout.matchAll(/^shop\S*/gm)].map(String).sort()).toEqual(["shop", "shop-2", "shop-3"]);
});

test("a control directory that others can write in is not used, and not changed", async () => {
  const shell = new Shell();
  shell.write("http.cjs", apps["http.cjs"]);
  const shared = join(shell.folder, "control");
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  const { said } = await shell.start("http.cjs", "-i", "1", "-p", "0");
  await eventually(() => said().includes("others may write in it (mode 1777)"), { what: "a warning" });
  const refused = await shell.run("status");
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("LB_CONTROL_DIR")]);
  expect(statSync(shared).mode & 0o7777).toBe(0o1777);
});

test("a deploy that is broken is rolled back, and says so with a code of its own", async () => {
  const shell = new Shell();
  shell.write("http.cjs", apps["http.cjs"]);
  const { port } = await shell.start("http.cjs", "-i", "2", "-p", "0");
  const ledger = new Ledger();
  let running = true;
  const load = (async () => {
    while (running) await ledger.ask(port, "GET", "/");
  })();
  shell.write("http.cjs", 'throw new Error("no database");');
  const reload = await shell.run("reload");
  running = false;
  await load;
  expect(reload.code).toBe(4);
  expect(reload.stderr).toMatch(/failed at instance 1: .*no database.*Nothing was replaced/s);
  expect(ledger.entries.filter(({ result }) => result.kind === "failed" || result.status !== 200)).toEqual([]);
});

test("takes lb.config.ts, and the flags over it", async () => {
  const shell = new Shell();
  shell.write("http.cjs", apps["http.cjs"]);
  shell.write(
    "lb.config.ts",
    `const instances: number = 3;\nexport default { entry: "http.cjs", args: ["configured"], instances, port: 0, mode: "handoff", name: "told" };\n`,
  );
  const { port, said } = await shell.start("-i", "2");
  expect(said()).toContain("told listens on");
  expect(said()).toContain("2 instances, handoff mode");
  expect(await answers(port, 1)).toEqual([expect.stringContaining("configured")]);
});

test("takes PM2's ecosystem file, and says what has no counterpart", async () => {
  const shell = new Shell();
  mkdirSync(join(shell.folder, "api"));
  shell.write(
    "api/server.cjs",
    `require("node:http").createServer((_, response) => {
       response.end([process.env.MODE, process.env.INSTANCE_ID, process.argv[2], require("node:path").basename(process.cwd())].join(" "));
     }).listen(process.env.PORT);`,
  );
  shell.write(
    "ecosystem.config.cjs",
    `module.exports = { apps: [{
       name: "api", script: "./server.cjs", cwd: "api", args: "-v", instances: 2, exec_mode: "cluster", watch: true,
       max_memory_restart: "500M", env: { MODE: "dev", PORT: 0 }, env_production: { MODE: "prod" },
     }] };`,
  );
  const { port, said } = await shell.start("ecosystem.config.cjs", "--env", "production");
  expect(said()).toMatch(/api listens on .* with 2 instances/);
  expect(said().match(/watch has no counterpart: .*lb reload/g)).toHaveLength(1);
  expect(new Set(await answers(port))).toEqual(new Set(["prod 1 -v api", "prod 2 -v api"]));
  const reload = await shell.run("reload", "--watch", "50");
  expect([reload.code, reload.stderr]).toEqual([0, ""]);
  expect(new Set(await answers(port))).toEqual(new Set(["prod 1 -v api", "prod 2 -v api"]));
});

describe("what the instances write", () => {
  const talking = `
    console.log("starting", process.env.INSTANCE_ID);
    require("node:http").createServer((request, response) => {
      const url = new URL(request.url, "http://x");
      console.error("asked for", url.pathname);
      const until = Date.now() + Number(url.searchParams.get("ms") ?? 0);
      const line = "x".repeat(1_000);
      (function more() {
        if (url.pathname === "/flood") for (let n = 0; n < 50; n += 1) console.log(line);
        if (Date.now() < until) setTimeout(more, 5);
        else response.end("done");
      })();
    }).listen(process.env.PORT);`;

  test("is shown with the instance's number, and again by lb logs; the access log by lb logs --access", async () => {
    const shell = new Shell();
    shell.write("talks.cjs", talking);
    const flags = ["-i", "2", "-p", "0", "--strategy", "round-robin", "--access-log", "access.log"];
    const { port, said } = await shell.start("talks.cjs", ...flags);
    await expect.poll(said).toContain("1 | starting 1\n");
    await Promise.all(["/a", "/b"].map((path) => httpGet(`http://127.0.0.1:${port}${path}`)));
    await eventually(() => /\d \| asked for \/a\n/.test(said()) && /\d \| asked for \/b\n/.test(said()), {
      what: "both",
    });
    const all = await shell.run("logs");
    const lines = all.stdout.trimEnd().split("\n");
    expect(lines.map((line) => line.replace(/\d \| asked.*/, "asked")).sort()).toEqual([
      "1 | starting 1",
      "2 | starting 2",
      "asked",
      "asked",
    ]);
    expect((await shell.run("logs", "1", "-n", "1")).stdout).toMatch(/^1 \| asked for \/[ab]\n$/);
    const following = shell.spawn("logs", "--follow", "-n", "0");
    await eventually(
      async () => {
        await httpGet(`http://127.0.0.1:${port}/late`);
        return following.said().includes("asked for /late");
      },
      { what: "a line that is followed" },
    );
    expect(following.said()).not.toContain("starting");
    const told = async (...wanted: string[]) => (await shell.run("logs", "--access", ...wanted)).stdout;
    await eventually(async () => (await told()).includes('"target":"/b"'), { what: "the access log" });
    expect((await told("1")).match(/"instance":\d/g)).toContain('"instance":1');
    expect(await told("1", "--status", "2xx", "-n", "1000")).not.toContain('"instance":2');
    expect(await told("--status", "5xx")).toBe("");
    const refused = await shell.run("logs", "--status", "5xx");
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("give --access, too")]);
  });

  test("never blocks the front: a reader that is stuck holds the writers back, and nobody else", async () => {
    const shell = new Shell();
    shell.write("talks.cjs", talking);
    const { child, port } = await shell.start("talks.cjs", "-i", "2", "-p", "0", "--strategy", "round-robin");
    child.stdout!.pause();
    const flood = httpGet(`http://127.0.0.1:${port}/flood?ms=2000`);
    for (const started = performance.now(); performance.now() - started < 1_000; ) {
      const { instances } = JSON.parse((await shell.run("status", "--json")).stdout) as { instances: unknown[] };
      expect(instances).toHaveLength(2);
    }
    child.stdout!.resume();
    expect((await flood).body).toBe("done");
  });

  test("goes nowhere when the primary is killed, and its instances finish all the same", async () => {
    const shell = new Shell();
    shell.write("talks.cjs", talking);
    const { child, port } = await shell.start("talks.cjs", "-i", "1", "-p", "0", "--mode", "handoff");
    const flood = httpGet(`http://127.0.0.1:${port}/flood?ms=1500`);
    await eventually(async () => (await shell.run("logs", "-n", "1")).stdout.includes("xxx"), { what: "it writes" });
    child.kill("SIGKILL");
    expect((await flood).body).toBe("done");
  });

  test("is not kept where the cluster does not take it", async () => {
    const shell = new Shell();
    shell.write("http.cjs", apps["http.cjs"]);
    shell.write("lb.config.json", JSON.stringify({ output: "inherit" }));
    await shell.start("http.cjs", "-i", "1", "-p", "0");
    const refused = await shell.run("logs");
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("lb start")]);
  });
});

describe("the truth about a program that cannot start, once", () => {
  const programs: Readonly<Record<string, readonly [string, RegExp, RegExp]>> = {
    "throws.cjs": [
      'const x = 1;\nthrow new Error("no database");',
      /^\d \| Error: no database\n\d \|\s+at .*throws\.cjs:2:7\)/m,
      /lb: throws\.cjs threw before it listened: no database\n$/,
    ],
    "later.mjs": [
      'setTimeout(() => { throw new TypeError("too late"); }, 1);',
      /^\d \| TypeError: too late\n\d \|.*later\.mjs:1/m,
      /lb: later\.mjs threw before it listened: too late\n$/,
    ],
    "syntax.mjs": [
      "let a = 1;\nlet b = ;",
      /^\d \| file:.*syntax\.mjs:2\n\d \| let b = ;/m,
      /lb: syntax\.mjs threw before it listened: Unexpected token ';'\n$/,
    ],
    "exits.cjs": [
      'console.error("DATABASE_URL is missing"); process.exit(3);',
      /^\d \| DATABASE_URL is missing$/m,
      /lb: exits\.cjs ended with exit code 3 before it listened\. What it wrote says why\.\n$/,
    ],
    "ends.cjs": [
      'console.log("hello");',
      /^\d \| hello$/m,
      /lb: ends\.cjs ended with exit code 0 before it listened\. A program .*\n$/,
    ],
  };

  test.each(Object.keys(programs))("%s", async (name) => {
    const [code, own, last] = programs[name]!;
    const shell = new Shell();
    shell.write(name, code);
    const { child, said, exited } = shell.spawn("start", name, "-i", "3", "-p", "0");
    expect(await exited).toBe(1);
    await eventually(() => last.test(said()), { what: `the last word in ${said()}` });
    expect(said()).toMatch(own);
    expect(said().match(new RegExp(own.source, "gm"))).toHaveLength(1);
    expect(said()).not.toMatch(/callback|cluster\(\)|dist\/cli\.js|\.\.\n|NaN|undefined/);
    expect(child.exitCode).toBe(1);
  });

  test("or that never listens: what it does is told, and the reload to it is refused", async () => {
    const shell = new Shell();
    shell.write("app.cjs", apps["http.cjs"]);
    const { said } = await shell.start("app.cjs", "-i", "1", "-p", "0", "--start-timeout", "6s");
    shell.write("app.cjs", 'require("node:net").createServer().listen(0); setInterval(() => {}, 1_000);');
    const reload = await shell.run("reload");
    expect([reload.code, reload.stderr]).toEqual([
      4,
      expect.stringMatching(
        /^lb: The reload failed at instance 1: .* not ready within 6 s: its app does not listen: what listens is a TCP server on port 0, .*[^.]\. Nothing was replaced/,
      ),
    ]);
    await expect
      .poll(said)
      .toMatch(/lb: instance 1 is not ready yet: its app does not listen: what listens is a TCP server on/);
  });
});

test.each([
  ["nothing to run", ["start"], 2, "lb start <entry>"],
  ["a file that is not there", ["start", "missing.js"], 2, "missing.js"],
  ["an option that cannot be used", ["start", "http.cjs", "-i", "0"], 2, "instances"],
  ["a flag of the app's", ["start", "http.cjs", "--verbose"], 2, "lb start <entry> -- --verbose"],
  ["a command that is a file", ["http.cjs"], 2, "lb start http.cjs"],
  ["a configuration that is not there", ["start", "--config", "none.ts"], 2, "There is no configuration"],
  ["a strategy that does not exist", ["start", "http.cjs", "--strategy", "best"], 2, "strategy"],
  ["an app that throws", ["start", "throws.cjs", "-p", "0", "-i", "1"], 1, "no database"],
  ["an app that is a cluster already", ["start", "cluster.mjs", "-p", "0", "-i", "1"], 1, "node "],
])("says what to do about %s", async (_, args, code, message) => {
  const shell = new Shell();
  shell.write("http.cjs", apps["http.cjs"]);
  shell.write("throws.cjs", 'throw new Error("no database");');
  const library = resolve(import.meta.dirname, "../dist/index.js");
  shell.write("cluster.mjs", `import { cluster } from ${JSON.stringify(library)};\nawait cluster(() => () => {});`);
  const result = await shell.run(...args);
  expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(message)]);
});
