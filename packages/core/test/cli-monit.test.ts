// `lb monit` as a user sees it: in a terminal, over the control socket of a cluster that serves.
import { once } from "node:events";
import { Agent, get } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { cli, Shell } from "./support/shell.ts";
import { Terminal } from "./support/tmux.ts";

const app = `
  const hot = (ms) => { for (const end = performance.now() + ms; performance.now() < end; ); };
  console.log("\\u001b[2J\\u001b]0;title\\u0007begun", "\\u65e5\\u672c");
  require("node:http").createServer((request, response) => {
    if (request.url === "/error") response.statusCode = 500;
    if (request.url === "/line") console.log("somebody asked for a line");
    response.end();
  }).listen(process.env.PORT);`;

/** Requests one after the other on four connections, until the test ends. */
function load(port: number): void {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  let over = false;
  const client = async () => {
    for (let count = 1; !over; count++) {
      const asked = get({ port, agent, path: count % 20 === 0 ? "/error" : "/" });
      const [response] = await once(asked, "response").catch(() => []);
      response?.resume();
      await new Promise((again) => setTimeout(again, 10));
    }
  };
  for (let clients = 0; clients < 4; clients++) void client();
  onTestFinished(() => {
    over = true;
    agent.destroy();
  });
}

const monit = `'${process.execPath}' '${cli}' monit; echo "exit code $?"`;

async function watched(size: { readonly columns: number; readonly rows: number }, env: NodeJS.ProcessEnv = {}) {
  const shell = new Shell();
  shell.write("app.cjs", app);
  const cluster = await shell.start("app.cjs", "-i", "2", "-p", "0", "--name", "shop");
  const { LB_CONTROL_DIR } = shell.env;
  const terminal = await Terminal.open({
    ...size,
    cwd: shell.folder,
    env: { PATH: process.env["PATH"], LB_CONTROL_DIR, TERM: "screen", LANG: "C.UTF-8", ...env },
  });
  return { shell, cluster, terminal };
}

const pidOf = (screen: string, id: number) => Number(new RegExp(`^ *${id} +\\S+ +(\\d+) `, "m").exec(screen)?.[1]);

test("shows a cluster under load, a kill, a reload by a key, other sizes, and leaves the terminal as it was", async () => {
  const { cluster, terminal } = await watched({ columns: 100, rows: 30 });
  load(cluster.port);
  await terminal.type("echo before", "Enter");
  // What is typed before the shell asks for it is echoed in the midst of what it prints.
  await terminal.shows(/^before\nready> $/m);
  await terminal.type(monit, "Enter");
  const first = await terminal.shows(/^shop {2}up .* 2 of 2 ready [\s\S]*^ 1 {2}ready +\d+ +\d[\d.]* +[\d.]+ %/m);
  expect(first).toMatch(/^requests\/s {2}\d[\d.]* +[▁-█ ]+ {3}failed +\d[\d.]* % +[▁-█ ]+ {3}p95 +\d[\d.]* ms/m);
  expect(first).toMatch(/^1 \| begun 日本 *$/m);
  expect(first).toMatch(/^q quit .*search *$/m);
  expect(await terminal.state()).toEqual({ cursor: false, alternate: true, wrap: false });

  const before = pidOf(first, 2);
  process.kill(before, "SIGKILL");
  const killed = await terminal.shows(/instance 2 \(pid \d+\) was killed by SIGKILL[\s\S]*instance 2 is ready again/);
  expect(pidOf(killed, 2)).not.toBe(before);

  await terminal.type("r");
  await terminal.shows(/^\[y\/n\] Replace all instances of shop, one after the other\?/m);
  await terminal.type("n");
  await terminal.shows(/^nothing was changed/m);
  await terminal.type("r", "y");
  await terminal.shows(/^shop {2}reloading, \d of 2 replaced/m);
  await terminal.shows(/^all instances were replaced/m);
  const reloaded = await terminal.shows(/reload: done, 2 instances replaced/);
  expect(pidOf(reloaded, 1)).not.toBe(pidOf(first, 1));

  await terminal.resize(40, 12);
  expect(await terminal.shows(/^shop .{35}\n[\s\S]*^ 2 {2}ready +\d/m)).toMatch(/^── Instances /m);
  await terminal.resize(120, 50);
  // What was said last stands where the keys do, for ten seconds.
  await terminal.shows(
    /^.*\n[\s\S]*loop lag[\s\S]*\n1 \| begun[\s\S]*\n(.*\n){3}(q quit|all instances were replaced)/m,
  );

  await terminal.type("C-z");
  await terminal.shows(/^ready> $/m);
  expect(await terminal.state()).toEqual({ cursor: true, alternate: false, wrap: true });
  await terminal.type("fg", "Enter");
  await terminal.shows(/^shop {2}up /m);

  await terminal.type("q");
  await terminal.shows(/fg\n[\s\S]*^ready> $/m);
  await terminal.type('echo "exit code $?"', "Enter");
  expect(await terminal.shows(/^exit code 0$/m)).toMatch(/^before$/m);
  expect(await terminal.state()).toEqual({ cursor: true, alternate: false, wrap: true });
  await terminal.type("stty -a", "Enter");
  expect(await terminal.shows(/\bicanon\b/)).toMatch(/ icanon .* echo /);
});

test("is ended by a signal, survives the cluster's end and a new beginning, and finds lines", async () => {
  const { shell, cluster, terminal } = await watched({ columns: 80, rows: 40 }, { NO_COLOR: "1", TERM: "xterm" });
  await terminal.type(monit, "Enter");
  await terminal.shows(/^1 \| begun[\s\S]*^q quit/m);
  get({ port: cluster.port, path: "/line" }).on("response", (response) => response.resume());
  await terminal.shows(/\| somebody asked/m);
  await terminal.type("Tab", "Tab", "/", "some", "Enter");
  expect(await terminal.shows(/^── Logs with "some" ──/m)).not.toContain("begun");

  cluster.child.kill("SIGTERM");
  await terminal.shows(/^shop {2}is gone, since /m);
  await cluster.exited;
  await shell.start("app.cjs", "-i", "1", "-p", "0", "--name", "shop");
  await terminal.shows(/^shop {2}up .* 1 of 1 ready/m);

  const { stdout } = await shell.run("monit");
  expect(stdout).toMatch(/^shop {2}up .*\n(.*\n)*── Instances ─+\n(.*\n) *1 {2}ready .*\n(.*\n)*── Logs/);
  expect(stdout).not.toContain("\u001b");
  const lines = shell.spawn("monit", "--interval", "1s");
  await eventually(() => /time +ready .*\n.*1 of 1 .*\n.*1 of 1 /.test(lines.said()), { what: () => lines.said() });

  await terminal.type("C-c");
  await terminal.shows(/^exit code 0$/m);
  expect((await shell.run("monit", "--name", "other")).code).toBe(3);
});
