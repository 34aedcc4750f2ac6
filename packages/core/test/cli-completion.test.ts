// What shells offer behind `lb`, by the scripts that it gives them; the manual page, and what `lb` alone says.
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { cli, Shell } from "./support/shell.ts";

const exec = promisify(execFile);

/** A user who has `lb` on the PATH, and a cluster that is called shop. */
async function user(): Promise<Shell> {
  const shell = new Shell();
  mkdirSync(join(shell.folder, "bin"));
  const command = shell.write("bin/lb", `#!/bin/sh\nexec ${process.execPath} ${cli} "$@"\n`);
  chmodSync(command, 0o755);
  shell.env["PATH"] = `${join(shell.folder, "bin")}:${shell.env["PATH"]}`;
  shell.write("app.cjs", `require("node:http").createServer((_, r) => r.end()).listen(process.env.PORT);`);
  await shell.start("app.cjs", "-i", "1", "-p", "0", "--admin", "off", "--name", "shop");
  return shell;
}

test("bash, zsh and fish complete commands, flags, values, and names of clusters", { timeout: 60_000 }, async () => {
  const shell = await user();
  const run = async (command: string, ...args: string[]) =>
    (await exec(command, args, { env: { ...shell.env, HOME: shell.folder }, cwd: shell.folder })).stdout;
  const bash = `source <(lb completion bash)
    compopt() { echo "$2"; }
    try() { COMP_WORDS=(lb "$@"); COMP_CWORD=$#; _lb; echo "\${COMPREPLY[*]}"; }
    try rel; try stop ''; try start --mode = ''; try start ''`;
  const zsh = `compdef() { :; }; source <(lb completion zsh)
    _describe() { local name=$4; print -l -- \${\${(P)name}%%:*}; }; _files() { print files; }
    try() { words=(lb "$@"); CURRENT=$(( $# + 1 )); _lb; }
    try rel; try stop ''; try start --mode ''; try start ''`;
  const fish = `lb completion fish | source
    for line in 'lb rel' 'lb stop ' 'lb start --mode ' 'lb start ap'; complete -C $line | cut -f1; end`;
  const said = await Promise.all([
    run("bash", "--norc", "-c", bash),
    run("zsh", "-f", "-c", zsh),
    run("fish", "--no-config", "-c", fish),
  ]);
  expect(said).toEqual([
    "reload\nshop\nproxy handoff\ndefault\n\n",
    "reload\nshop\nproxy\nhandoff\nfiles\n",
    "reload\nshop\nhandoff\nproxy\napp.cjs\n",
  ]);
});

test("lb alone says what comes next; its manual is one that man reads", { timeout: 30_000 }, async () => {
  const shell = new Shell();
  const first = await shell.run();
  expect(first.code).toBe(0);
  expect(first.stdout.split("\n").length).toBeLessThan(15);
  expect(first.stdout).toMatch(/lb start <entry>/);
  shell.write("lb.config.json", "{}");
  expect((await shell.run()).stdout).toMatch(/lb start +.*lb\.config\.json/);
  const { stdout: page } = await shell.run("man");
  const path = shell.write("lb.1", page);
  const shown = await exec("man", ["--warnings", "-E", "UTF-8", "-l", path], {
    env: { ...shell.env, MANPAGER: "cat", MANWIDTH: "100" },
  });
  expect(shown.stderr).toBe("");
  expect(shown.stdout).toMatch(/--max-memory <size>/);
  expect(shown.stdout.split("\n").length).toBeGreaterThan(200);
});
