// `lb upgrade` under load: the primary itself is replaced.
import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import type { ClusterStatus } from "../src/index.ts";
import { eventually } from "./support/eventually.ts";
import { freePorts } from "./support/free-ports.ts";
import { httpGet } from "./support/http-get.ts";
import { allGone, childrenOf, isAlive } from "./support/processes.ts";
import { Shell } from "./support/shell.ts";
import { http1Client, http2Client, steadyClients, tlsClient } from "./support/steady-clients.ts";
import { testCertificate } from "./support/test-certificate.ts";
import { connectSecure } from "./support/tls-clients.ts";

const app = `
  const { VERSION, INSTANCE_ID } = process.env;
  require("node:http").createServer((request, response) => {
    setTimeout(() => response.end([VERSION, INSTANCE_ID].join()), 5);
  }).listen(process.env.PORT);`;

const config = (options: object) => `export default ${JSON.stringify({ entry: "./app.cjs", ...options })};`;

async function statusOf(shell: Shell): Promise<ClusterStatus> {
  const { stdout, stderr, code } = await shell.run("status", "--json");
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as ClusterStatus;
}

const processesOf = ({ pid, instances }: ClusterStatus) => [pid, ...instances.map((one) => one.pid!)];

/** A ticket of the session, by which it can be resumed. */
async function ticketOf(port: number): Promise<Buffer> {
  const socket = await connectSecure(port, { servername: "a.example" });
  const ticket = new Promise<Buffer>((resolve) => socket.once("session", resolve));
  socket.write("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
  socket.resume();
  return ticket;
}

const overUnix = (path: string) => () =>
  new Promise<void>((resolve, reject) => {
    const sent = request({ socketPath: path, path: "/", agent: false }, (response) => {
      text(response).then(() => (response.statusCode === 200 ? resolve() : reject(new Error("not 200"))), reject);
    });
    sent.on("error", reject).end();
  });

describe("in the foreground, with TLS", () => {
  test("a new primary with another configuration takes over, no request fails, and whoever waits for the first one notices nothing", {
    timeout: 60_000,
  }, async () => {
    const shell = new Shell();
    const { cert, key } = testCertificate(["DNS:a.example"]);
    const port = await freePorts(4);
    const secure = port + 3;
    const options = {
      ...{ name: "shop", port, workerPort: port + 1, instances: 2, admin: { port: 0 }, affinity: "cookie" },
      ...{ https: { port: secure, certificates: [{ cert, key }] } },
    };
    shell.write("app.cjs", app);
    shell.write("lb.config.mjs", config({ ...options, env: { VERSION: "1" } }));
    const { child, said, exited } = await shell.start("--pid-file", "shop.pid");
    const before = await statusOf(shell);
    expect(before.pid).toBe(child.pid);
    const asked = await httpGet(`http://127.0.0.1:${port}/`);
    const cookie = String(asked.headers["set-cookie"]).split(";")[0]!;
    const ticket = await ticketOf(secure);
    const clients = steadyClients({
      "HTTP/1.1, kept alive": http1Client(`http://127.0.0.1:${port}/`, { keepAlive: true }),
      "HTTP/1.1, new": http1Client(`http://127.0.0.1:${port}/`, { keepAlive: false }),
      "TLS, kept alive": tlsClient(`https://127.0.0.1:${secure}/`, { keepAlive: true }),
      "TLS, new": tlsClient(`https://127.0.0.1:${secure}/`, { keepAlive: false }),
      "HTTP/2": http2Client(`https://127.0.0.1:${secure}`),
    });
    shell.write("lb.config.mjs", config({ ...options, env: { VERSION: "2" }, serverTiming: true }));
    const upgraded = await shell.run("upgrade", "shop");
    expect([upgraded.code, upgraded.stdout]).toEqual([
      0,
      expect.stringMatching(/^shop has a new primary, process \d+/m),
    ]);

    const after = await statusOf(shell);
    expect(after.pid).not.toBe(before.pid);
    expect(after.listeners).toEqual(before.listeners);
    expect(after.admin).toBe(before.admin);
    expect((await shell.run("ls")).stdout).toMatch(new RegExp(`^shop +${after.pid} .* running$`, "m"));
    expect(readFileSync(join(shell.folder, "shop.pid"), "utf8")).toBe(`${after.pid}\n`);
    const again = await httpGet(`http://127.0.0.1:${port}/`, { headers: { cookie } });
    expect([again.body, again.headers["server-timing"]]).toEqual([
      asked.body.replace("1,", "2,"),
      expect.stringContaining("lb"),
    ]);
    const resumed: TLSSocket = await connectSecure(secure, { servername: "a.example", session: ticket });
    expect(resumed.isSessionReused()).toBe(true);
    await allGone(processesOf(before).filter((pid) => pid !== before.pid));
    // Those of the new one listen where those of the old one did.
    const direct = () => httpGet(`http://127.0.0.1:${port + 2}/`).catch(() => undefined);
    await eventually(async () => (await direct())?.body === "2,2", { what: "an instance at its own port" });
    await clients.stop();
    for (const count of Object.values(clients.answered)) expect(count).toBeGreaterThan(10);

    // What is left of the first one has no processes, and passes signals on.
    await eventually(() => said().includes(`process ${before.pid} has drained`), { what: "the drain's end" });
    expect(childrenOf(before.pid)).toEqual([after.pid]);
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
    await allGone(processesOf(after));
    expect(existsSync(join(shell.folder, "shop.pid"))).toBe(false);
  });
});

describe("in the background, in hand-off mode, with a Unix socket", () => {
  test("one that cannot start is ended, and all is as it was; the next takes over", { timeout: 90_000 }, async () => {
    const shell = new Shell();
    shell.env["XDG_STATE_HOME"] = join(shell.folder, "state");
    const port = await freePorts(3);
    const path = join(shell.folder, "http.sock");
    const options = { mode: "handoff", port, listen: [{ path }], instances: 1, admin: false, name: "shop" };
    shell.write("app.cjs", app);
    shell.write("lb.config.mjs", config({ ...options, env: { VERSION: "1" } }));
    const started = await shell.run("start", "-d");
    expect(started.code).toBe(0);
    const before = await statusOf(shell);
    try {
      const clients = steadyClients({
        "kept alive": http1Client(`http://127.0.0.1:${port}/`, { keepAlive: true }),
        new: http1Client(`http://127.0.0.1:${port}/`, { keepAlive: false }),
        "at the Unix socket": overUnix(path),
      });
      const refused = async (why: RegExp) => {
        const { code, stderr } = await shell.run("upgrade");
        expect([code, stderr]).toEqual([1, expect.stringMatching(why)]);
        expect((await statusOf(shell)).pid).toBe(before.pid);
      };
      shell.write("lb.config.mjs", "export default {");
      await refused(
        /^lb: The new primary has not taken over, and all is as it was: The configuration .* cannot be read/,
      );
      shell.write("lb.config.mjs", config({ ...options, queue: { maxWaiting: "many" } }));
      await refused(/all is as it was: Option "queue\.maxWaiting"/);
      shell.write("app.cjs", `throw new Error("no database")`);
      shell.write("lb.config.mjs", config({ ...options, env: { VERSION: "2" } }));
      await refused(/all is as it was: .*no database/);
      expect(clients.failed).toEqual([]);

      shell.write("app.cjs", app);
      const both = await Promise.all([shell.run("upgrade", "--json"), shell.run("upgrade", "--json")]);
      const [done, busy] = both.sort((one, other) => one.code - other.code);
      expect([done!.code, busy!.code, busy!.stderr]).toEqual([
        0,
        1,
        expect.stringContaining("An upgrade goes on already"),
      ]);
      const after = await statusOf(shell);
      expect(JSON.parse(done!.stdout)).toMatchObject({ pid: after.pid, before: before.pid });
      await allGone(processesOf(before));
      expect((await httpGet(`http://127.0.0.1:${port}/`)).body).toBe("2,1");
      await overUnix(path)();
      await clients.stop();
      const second = await shell.run("start", "-d");
      expect([second.code, second.stderr]).toEqual([
        1,
        expect.stringContaining(`shop runs already (pid ${after.pid})`),
      ]);
      const log = readFileSync(join(shell.env["XDG_STATE_HOME"], "lb/shop/shop.log"), "utf8");
      expect(log).toMatch(new RegExp(`lb: upgrade: done, process ${after.pid} has taken over`));
      expect((await shell.run("stop", "shop")).code).toBe(0);
      expect(processesOf(after).filter(isAlive)).toEqual([]);
      expect(existsSync(path)).toBe(false);
    } finally {
      await shell.run("stop", "--all");
    }
  });
});
