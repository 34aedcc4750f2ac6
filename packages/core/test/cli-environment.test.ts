// Variables and links that change while a cluster runs: they arrive with a reload, with its rollback they are gone again.
import { mkdirSync, realpathSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { Shell } from "./support/shell.ts";

const app = `
  const http = require("node:http");
  const { GREETING, COLOUR, REVISION, NODE_OPTIONS, LB_ENTRY } = process.env;
  if (GREETING === "broken") throw new Error("no greeting");
  const said = { pid: process.pid, GREETING, COLOUR, REVISION, LB_ENTRY, file: __filename, cwd: process.cwd() };
  http.createServer((_, response) => response.end(JSON.stringify(said))).listen(process.env.PORT);`;

type Said = Record<"GREETING" | "COLOUR" | "REVISION" | "LB_ENTRY" | "file" | "cwd", string | undefined> & {
  pid: number;
};

async function ask(port: number): Promise<Said> {
  return JSON.parse((await httpGet(`http://127.0.0.1:${port}/`)).body) as Said;
}

async function afterCrash(port: number): Promise<Said> {
  const { pid } = await ask(port);
  process.kill(pid, "SIGKILL");
  return eventually(
    async () => {
      const said = await ask(port).catch(() => undefined);
      return said !== undefined && said.pid !== pid && said;
    },
    { what: "another process" },
  );
}

test("FAULTS 75: variables of files and of the configuration arrive with a reload, or not at all", {
  timeout: 60_000,
}, async () => {
  const shell = new Shell();
  shell.write("app.cjs", app);
  shell.write(".env", "GREETING=hello\nCOLOUR=red\nPORT=0\n");
  shell.write(".env.local", "COLOUR='blue'\n");
  const config = (text: string) => shell.write("lb.config.ts", text);
  config('export default { entry: "app.cjs", instances: 1, envFile: [".env", ".env.local"], env: { REVISION: "1" } };');
  const { port, said } = await shell.start("--name", "shop");
  expect(await ask(port)).toMatchObject({ GREETING: "hello", COLOUR: "blue", REVISION: "1" });
  expect(await ask(port)).not.toHaveProperty("LB_ENTRY");

  shell.write(".env", "GREETING=hi\nPORT=0\n");
  config('const REVISION: string = "2";\nexport default { entry: "app.cjs", env: { REVISION } };');
  expect(await afterCrash(port)).toMatchObject({ GREETING: "hello", COLOUR: "blue", REVISION: "1" });
  const reload = await shell.run("reload", "--watch", "20");
  expect([reload.code, reload.stdout]).toEqual([0, expect.stringContaining("changed: GREETING, REVISION")]);
  expect(await ask(port)).toMatchObject({ GREETING: "hi", COLOUR: "blue", REVISION: "2" });
  expect(await afterCrash(port)).toMatchObject({ GREETING: "hi", REVISION: "2" });

  const { pid } = await ask(port);
  const refused = async (text: string) => {
    const { code, stderr } = await shell.run("reload", "--watch", "20");
    expect([code, stderr]).toEqual([4, expect.stringContaining(text)]);
    expect(await ask(port)).toMatchObject({ pid, GREETING: "hi", REVISION: "2" });
  };
  shell.write(".env", "GREETING=hey\nPORT=0\nTOP SECRET\n");
  await refused(`${join(realpathSync(shell.folder), ".env")}:3 cannot be used: the line has no =`);
  await eventually(() => said().includes(".env:3 cannot be used"), { what: "the log" });
  expect(said()).not.toContain("TOP SECRET");
  shell.write(".env", "GREETING=hey\nPORT=0\n");
  config('export default { entry: "app.cjs",\n  env: { REVISION: 3 } };');
  await refused('lb.config.ts cannot be used: Option "env.REVISION" is 3');
  config('export default { entry: "app.cjs",\n  env: { A: nobody } };');
  await refused("nobody is not defined, in line 2");
  config('export default { entry: "app.cjs", env: { REVISION: "3" } };');
  shell.write(".env", "GREETING=broken\nPORT=0\n");
  await refused("no greeting");
  expect(await afterCrash(port)).toMatchObject({ GREETING: "hi", REVISION: "2" });
});

test("a program behind a link is where that leads at the reload, and until then where it led", {
  timeout: 60_000,
}, async () => {
  const shell = new Shell();
  for (const id of ["1", "2"]) {
    mkdirSync(join(shell.folder, "releases", id), { recursive: true });
    writeFileSync(join(shell.folder, "releases", id, "app.cjs"), app);
  }
  const lead = (id: string) => {
    symlinkSync(join("releases", id), join(shell.folder, "next"));
    renameSync(join(shell.folder, "next"), join(shell.folder, "current"));
  };
  lead("1");
  const release = (id: string) => join(realpathSync(shell.folder), "releases", id);
  const { port } = await shell.startIn("current", "app.cjs", "-i", "1", "-p", "0", "--name", "shop");
  expect(await ask(port)).toMatchObject({ file: join(release("1"), "app.cjs"), cwd: release("1") });
  lead("2");
  expect(await afterCrash(port)).toMatchObject({ file: join(release("1"), "app.cjs"), cwd: release("1") });
  expect((await shell.run("restart", "1")).code).toBe(0);
  expect(await ask(port)).toMatchObject({ cwd: release("1") });
  expect((await shell.run("reload", "--watch", "20")).code).toBe(0);
  expect(await ask(port)).toMatchObject({ file: join(release("2"), "app.cjs"), cwd: release("2") });
  expect(await afterCrash(port)).toMatchObject({ file: join(release("2"), "app.cjs"), cwd: release("2") });
});
