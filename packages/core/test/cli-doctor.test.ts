// `lb doctor` where things are as they should not be: a machine's limits, ports that are taken, certificates that are no good.
import { execFile, execFileSync, spawn } from "node:child_process";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import type { Finding } from "../src/cli/doctor/finding.ts";
import { eventually } from "./support/eventually.ts";
import { freePorts, takePort } from "./support/free-ports.ts";
import { attended, cli, Shell } from "./support/shell.ts";

const app = `require("node:http").createServer((_, response) => response.end()).listen(process.env.PORT);`;

const found = (stdout: string) => {
  const { level, findings } = JSON.parse(stdout) as { level: string; findings: readonly Finding[] };
  const of = (check: string) => findings.filter((one) => one.check === check);
  return { level, of };
};

test("a port that is taken is that of a process, by its name; one of a cluster of ours is its own", {
  timeout: 60_000,
}, async () => {
  const shell = new Shell();
  shell.write("app.cjs", app);
  const { port, server } = await takePort();
  onTestFinished(() => void server.close());
  const taken = await shell.run("doctor", "app.cjs", "-p", String(port), "--json");
  expect(taken.code).toBe(1);
  expect(found(taken.stdout).of("ports")).toEqual([
    expect.objectContaining({ level: "error", what: expect.stringContaining(`(pid ${process.pid})`) }),
  ]);
  const own = await freePorts(3);
  await shell.start("app.cjs", "-i", "1", "-p", String(own), "--admin", "off");
  const running = await shell.run("doctor", "app.cjs", "-p", String(own));
  expect(running.stdout).toMatch(/^ok +ports +\S+ is held by the running cluster app \(pid \d+\)$/m);
});

test("limits of this very process are seen: open files, memory, rights, a network with nothing in it", {
  timeout: 60_000,
}, async () => {
  const shell = new Shell();
  // In a network of its own, where names are not found, and without any of root's rights.
  const script = `
    ulimit -Hn 1500; ulimit -n 1500
    echo 100 > /proc/sys/net/core/somaxconn
    exec setpriv --inh-caps=-all --bounding-set=-all \\
      ${process.execPath} ${cli} doctor --json --https no-such-name.invalid -i 999`;
  const env = { ...shell.env, XDG_STATE_HOME: "/proc/none", LB_CONTROL_DIR: shell.folder };
  const { stdout, code } = await promisify(execFile)(
    "unshare",
    ["--user", "--map-root-user", "--net", "sh", "-c", script],
    { env, cwd: "/" },
  ).then(
    ({ stdout: text }) => ({ stdout: text, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  );
  const { of } = found(stdout);
  expect(code).toBe(1);
  expect(of("descriptors")).toEqual([expect.objectContaining({ level: "warning", what: "1500 open files at most" })]);
  expect(of("accept-queue")).toEqual([expect.objectContaining({ level: "warning" })]);
  expect(of("low-ports")).toEqual([
    expect.objectContaining({ level: "error", what: expect.stringContaining("80 and 443") }),
  ]);
  expect(of("names")).toEqual([
    expect.objectContaining({ level: "error", what: expect.stringContaining("no-such-name.invalid") }),
  ]);
  expect(of("memory")).toEqual(expect.arrayContaining([expect.objectContaining({ level: "error" })]));
  expect(of("directories").map(({ level }) => level)).toContain("error");
});

test("certificates of the configuration are looked at: expired, of another key", { timeout: 60_000 }, async () => {
  const shell = new Shell();
  shell.write("app.cjs", app);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: shell.folder, stdio: "ignore" });
  const names = ["-subj", "/CN=a.example", "-addext", "subjectAltName=DNS:a.example"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "a.key", "-out", "a.pem", "-days", "2", ...names);
  openssl("req", "-x509", ...key, "-keyout", "b.key", "-out", "b.pem", "-days", "90", ...names);
  const config = (certificates: object[]) =>
    shell.write("lb.config.json", JSON.stringify({ entry: "app.cjs", port: 0, https: { port: 0, certificates } }));
  config([{ cert: "a.pem", key: "a.key" }]);
  const soon = await shell.run("doctor", "--json");
  expect(found(soon.stdout).of("certificates")).toEqual([
    expect.objectContaining({ level: "warning", what: expect.stringMatching(/^a.example \(a.pem\)(: | expires in )/) }),
  ]);
  config([{ cert: "b.pem", key: "a.key" }]);
  const wrong = await shell.run("doctor");
  expect([wrong.code, wrong.stdout]).toEqual([1, expect.stringMatching(/^error +certificates .*key is not that of/m)]);
});

test("the Redis that apps are told of is asked whether it lets them in", { timeout: 60_000 }, async () => {
  const shell = new Shell();
  const port = await freePorts(1);
  const look = async (url: string) => {
    shell.env["REDIS_URL"] = url;
    const { of } = found((await shell.run("doctor", "--json")).stdout);
    return of("redis").map(({ level, what }) => `${level} ${what}`);
  };
  expect(await look(`redis://127.0.0.1:${port}`)).toEqual([
    expect.stringMatching(/^error .*does not answer \(.*ECONNREFUSED/),
  ]);
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--requirepass", "open sesame", "--save", ""];
  const { said } = attended(spawn("redis-server", args, { cwd: shell.folder, stdio: ["ignore", "pipe", "pipe"] }));
  await eventually(() => said().includes("Ready to accept connections"), { what: "a Redis" });
  expect(await look(`redis://127.0.0.1:${port}`)).toEqual([expect.stringMatching(/^error .* says NOAUTH /)]);
  expect(await look(`redis://:wrong@127.0.0.1:${port}`)).toEqual([expect.stringMatching(/^error .* says WRONGPASS /)]);
  expect(await look(`redis://:open%20sesame@127.0.0.1:${port}/0`)).toEqual([
    expect.stringMatching(/^ok .* answers, in \d+ ms$/),
  ]);
  expect(await look("127.0.0.1")).toEqual([expect.stringMatching(/^hint /)]);
});
