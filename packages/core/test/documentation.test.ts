// What the documentation tells a newcomer to do, in the folder that `npm init -y` makes.
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { freePorts } from "./support/free-ports.ts";
import { httpGet } from "./support/http-get.ts";
import { attended, saidUrl } from "./support/shell.ts";

const packageFolder = resolve(import.meta.dirname, "..");

/** As npm 11 and later leave it: it says that all .js files are CommonJS. */
function newProject(): string {
  const folder = mkdtempSync(join(tmpdir(), "lb-new-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "new", main: "index.js", type: "commonjs" }));
  mkdirSync(join(folder, "node_modules/@lb"), { recursive: true });
  mkdirSync(join(folder, "node_modules/.bin"));
  symlinkSync(packageFolder, join(folder, "node_modules/@lb/core"));
  return folder;
}

function run(folder: string, command: string, args: readonly string[]) {
  const { PORT: _port, WEB_CONCURRENCY: _concurrency, ...env } = process.env;
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...env, LB_CONTROL_DIR: join(folder, "control"), PATH: `${resolve(process.execPath, "..")}:${env["PATH"]}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { exited, said } = attended(child);
  return { child, exited, listening: () => saidUrl({ child, said }) };
}

test("the first snippet of the README is a cluster", async () => {
  const folder = newProject();
  const readme = readFileSync(resolve(packageFolder, "../../README.md"), "utf8");
  const [, name, code] = /```js\n\/\/ (\S+)\n(.*?)```/s.exec(readme)!;
  const port = await freePorts(5);
  expect(code).toContain("port: 3000");
  writeFileSync(join(folder, name!), code!.replace("port: 3000", `port: ${port}`));
  const { child, exited, listening } = run(folder, process.execPath, [name!]);
  expect((await httpGet(await listening())).body).toMatch(/^hello from instance [1-4]\n$/);
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
});

test("lb.config.ts with defineConfig, and what systemd starts: the command in .bin, which pnpm makes a shell script", async () => {
  const folder = newProject();
  const documentation = readFileSync(resolve(packageFolder, "../../docs/deploy.md"), "utf8");
  expect(documentation).toContain("ExecStart=/srv/shop/node_modules/.bin/lb start");
  writeFileSync(
    join(folder, "server.js"),
    'require("node:http").createServer((_, r) => r.end("x")).listen(process.env.PORT);',
  );
  writeFileSync(
    join(folder, "lb.config.ts"),
    `import { defineConfig } from "@lb/core";
     const instances: number = 1;
     export default defineConfig({ entry: "server.js", instances, port: 0 });`,
  );
  const shim = join(folder, "node_modules/.bin/lb");
  writeFileSync(shim, '#!/bin/sh\nbasedir=$(dirname "$0")\nexec node "$basedir/../@lb/core/dist/cli.js" "$@"\n');
  chmodSync(shim, 0o755);
  const { child, exited, listening } = run(folder, shim, ["start"]);
  expect((await httpGet(await listening())).body).toBe("x");
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
});
