import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { resolveEntry } from "./resolve-entry.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "lb-entry-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

function write(files: Readonly<Record<string, string | object>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }
}
const found = (given = ".") => {
  const { path, args } = resolveEntry(join(folder, given));
  return [path.slice(folder.length + 1), ...args];
};

describe("a program is found as node and PM2 find it", () => {
  test.each([
    ["a file", "app.js", { "app.js": "" }, ["app.js"]],
    ["without its extension", "app", { "app.js": "" }, ["app.js"]],
    ["in TypeScript", "app", { "app.ts": "" }, ["app.ts"]],
    ["a file before a directory of its name", "app", { "app.js": "", "app/index.js": "" }, ["app.js"]],
    ["a directory's index", "app", { "app/index.mjs": "" }, ["app/index.mjs"]],
    [
      "a package's main",
      ".",
      { "package.json": { main: "dist/server" }, "dist/server.js": "", "index.js": "" },
      ["dist/server.js"],
    ],
    ["a main that is a directory", ".", { "package.json": { main: "./lib" }, "lib/index.js": "" }, ["lib/index.js"]],
    [
      "what npm start runs",
      ".",
      { "package.json": { scripts: { start: "node src/x.js --verbose" } }, "src/x.js": "" },
      ["src/x.js", "--verbose"],
    ],
    [
      "what npm start runs, where npm init wrote a main that is not there",
      ".",
      { "package.json": { main: "index.js", scripts: { start: "node server.js" } }, "server.js": "" },
      ["server.js"],
    ],
    [
      "a package's command",
      ".",
      { "package.json": { scripts: { start: "next start" } }, "node_modules/.bin/next": "#!/usr/bin/env node\n" },
      ["node_modules/.bin/next", "start"],
    ],
    [
      "what pnpm's script starts",
      "node_modules/.bin/next",
      {
        "node_modules/.bin/next":
          '#!/bin/sh\nbasedir=$(dirname "$0")\nif x; then\n  exec node  "$basedir/../next/bin/next" "$@"\nfi',
        "node_modules/next/bin/next": "#!/usr/bin/env node\n",
      },
      ["node_modules/next/bin/next"],
    ],
    [
      "what pnpm's script starts, as version 12 writes it",
      "node_modules/.bin/next",
      {
        "node_modules/.bin/next": `#!/bin/sh\n${"# why\n".repeat(800)}exec node "$basedir_abs"/'../next/bin/next' "$@"\n# cmd-shim-target=../next/bin/next\n`,
        "node_modules/next/bin/next": "#!/usr/bin/env node\n",
      },
      ["node_modules/next/bin/next"],
    ],
    ["a program without extension", "server", { server: "#!/usr/bin/env node\n" }, ["server"]],
  ] as const)("%s", (_, given, files, path) => {
    write(files);
    expect(found(given)).toEqual(path);
  });

  test("by the file that it is, not by a link to it", () => {
    write({ "real/app.js": "" });
    symlinkSync(join(folder, "real/app.js"), join(folder, "link.js"));
    expect(found("link.js")).toEqual(["real/app.js"]);
  });
});

describe("what is none is said", () => {
  test.each([
    [
      "nothing there",
      "sever.js",
      { "server.js": "", "x.config.js": "" },
      /There is no file .*sever\.js\. There is .*server\.js\.$/,
    ],
    ["an empty directory", ".", {}, /There is no program in the directory .*\.$/],
    [
      "a main that is not there",
      ".",
      { "package.json": { main: "x.js" } },
      /\(the main file of its package\.json, x\.js, is not there\)/,
    ],
    [
      "Python",
      "app.py",
      { "app.py": "" },
      /app\.py is a Python program, and lb start <entry> runs programs of Node\.js.*lb start --exec "python3 \S*app\.py"/,
    ],
    ["Python without an extension", "app", { app: "#!/usr/bin/env python3\n" }, /a Python program/],
    ["a shell script", "run.sh", { "run.sh": "#!/bin/bash\nnode app.js" }, /a shell script/],
    ["a binary", "app", { app: "\x7fELF\0" }, /a compiled program/],
    [".env", ".env", { ".env": "A=1" }, /a file of variables/],
    [
      "a start script of several",
      ".",
      { "package.json": { scripts: { start: "npm run build && node x.js" } } },
      /more than one program \(npm run build && node x\.js\)/,
    ],
    [
      "a start script with flags",
      ".",
      { "package.json": { scripts: { start: "node --inspect x.js" } } },
      /flags for Node\.js.*NODE_OPTIONS/,
    ],
    [
      "a start script of something else",
      ".",
      { "package.json": { scripts: { start: "deno run x.ts" } } },
      /is not Node\.js \(deno run x\.ts\)/,
    ],
  ] as const)("%s", (_, given, files, message) => {
    write(files);
    expect(() => found(given)).toThrow(message);
    expect(() => found(given)).not.toThrow(/\.\.$|NaN|undefined/);
  });
});
