// Apps that listen before they can answer: with a health path an instance is ready once it answers.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { Shell } from "./support/shell.ts";

const app = `
  const { existsSync } = require("node:fs");
  let isWarm = false;
  require("node:http").createServer((request, response) => {
    // Once it is, it stays so.
    isWarm ||= existsSync("warm");
    if (!isWarm) console.log("asked for " + request.url);
    response.writeHead(isWarm ? 200 : 503).end(process.env.INSTANCE_ID);
  }).listen(process.env.PORT);`;

test.each(["proxy", "handoff"])(
  "traffic waits for the first answer, at the start and after a crash (%s)",
  async (mode) => {
    const shell = new Shell();
    shell.write("app.cjs", app);
    const { child, said } = shell.spawn(
      "start",
      "app.cjs",
      "-i",
      "2",
      "-p",
      "0",
      "--mode",
      mode,
      "--health-path",
      "/up",
    );
    await eventually(() => said().split("asked for /up").length > 3, { what: "some probes" });
    expect(said()).not.toContain("listens on");
    shell.write("warm", "");
    const url = await eventually(() => /listens on (\S+)/.exec(said())?.[1], { what: "a cluster that listens" });
    const ids = async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => httpGet(url)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      return [...new Set(answers.map(({ body }) => body))].sort().join();
    };
    await expect.poll(ids).toBe("1,2");

    const instances = async () => {
      const { stdout } = await shell.run("status", "--json");
      return (JSON.parse(stdout) as { instances: { pid: number; state: string }[] }).instances;
    };
    rmSync(join(shell.folder, "warm"));
    const asked = said().length;
    process.kill((await instances())[1]!.pid, "SIGKILL");
    await eventually(() => said().slice(asked).includes("asked for /up"), { what: "a probe of the new process" });
    expect(await ids()).toBe("1");
    expect((await instances())[1]).toMatchObject({ state: "starting" });
    shell.write("warm", "");
    await expect.poll(ids).toBe("1,2");
    child.kill("SIGTERM");
  },
);

test("one that never answers as it should is told with what it answers", { timeout: 30_000 }, async () => {
  const shell = new Shell();
  shell.write("app.cjs", app);
  const args = ["start", "app.cjs", "-i", "1", "-p", "0", "--health-path", "/up", "--start-timeout", "4s"];
  const { code, stderr } = await shell.run(...args);
  expect(code).toBe(1);
  expect(stderr).toContain("was not ready within 4 s: it listens, but GET /up: status 503.");
});

test("the start does not wait for it where that is not wanted", async () => {
  const shell = new Shell();
  shell.write("app.cjs", app);
  const health = { active: { path: "/up", requireFirstProbe: false } };
  shell.write("lb.config.json", JSON.stringify({ entry: "app.cjs", instances: 1, port: 0, health }));
  const { port } = await shell.start();
  expect((await httpGet(`http://127.0.0.1:${port}/`)).status).toBe(503);
});
