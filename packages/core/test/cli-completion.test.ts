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
    (await exec(command, args, { env: { ...shell.env, HOME: shell.folder }, cwd: shell.folder })).stdout
      .trim()
      .split(/\s+/);
  const bash = (...words: string[]) => {
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const script = `source <(lb completion bash); COMP_WORDS=(lb ${quoted}); COMP_CWORD=${words.length}; compopt() { echo "$2"; }; _lb; echo "\${COMPREPLY[@]}"`;
    return run("bash", "--norc", "-c", script);
  };
  expect(await bash("rel")).toEqual(["reload"]);
  expect(await bash("stop", "")).toEqual(["shop"]);
  expect(await bash("start", "--mode", "=", "")).toEqual(["proxy", "handoff"]);
  expect(await bash("start", "")).toEqual(["default"]);
  const fish = (line: string) =>
    run("fish", "--no-config", "-c", `lb completion fish | source; complete -C '${line}' | cut -f1`);
  expect(await fish("lb rel")).toEqual(["reload"]);
  expect(await fish("lb stop ")).toEqual(["shop"]);
  expect(await fish("lb start ap")).toEqual(["app.cjs"]);
  const zsh = (...words: string[]) => {
    const list = words.map((word) => `'${word}'`).join(" ");
    const script = `compdef() { :; }; source <(lb completion zsh)
      _describe() { local name=$4; print -l -- \${\${(P)name}%%:*}; }; _files() { print files; }
      words=(lb ${list}); CURRENT=${words.length + 1}; _lb`;
    return run("zsh", "-f", "-c", script);
  };
  expect(await zsh("rel")).toEqual(["reload"]);
  expect(await zsh("stop", "")).toEqual(["shop"]);
  expect(await zsh("start", "")).toEqual(["files"]);
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
