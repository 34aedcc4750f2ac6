// pnpm bench files [--smoke] [--json] [--seconds 5] [--rounds 3] [--only lb,nginx] [--cases 1k-64,100k-64]
//
// The files of one directory, as nginx sends them with sendfile and an open-file cache, and as apps do behind lb.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fileCandidates } from "./candidates.ts";
import { browser, type Case, compare } from "./compare.ts";

const root = mkdtempSync(join(tmpdir(), "lb-bench-files-"));
process.once("exit", () => rmSync(root, { recursive: true, force: true }));

const script = Buffer.from("console.log('hello, whoever reads this');\n".repeat(2_500));
const files = {
  "1k.bin": randomBytes(1_024),
  "100k.bin": randomBytes(102_400),
  "10m.bin": randomBytes(10_485_760),
  "app.js": script,
  "app.js.gz": gzipSync(script),
};
// A tag of a file that was changed just now is weak, and is made anew.
const longAgo = Date.UTC(2020, 0, 1) / 1_000;
for (const [name, content] of Object.entries(files)) {
  writeFileSync(join(root, name), content);
  utimesSync(join(root, name), longAgo, longAgo);
}

const cases: readonly Case[] = [
  { name: "1k-1", path: "/1k.bin", connections: 1, headers: {} },
  { name: "1k-64", path: "/1k.bin", connections: 64, headers: {} },
  {
    name: "browser-64",
    title: "browser-64: 1 KB, with the header fields of a browser",
    path: "/1k.bin",
    connections: 64,
    headers: browser,
  },
  {
    name: "gzip-64",
    title: "gzip-64: a script, stored compressed",
    path: "/app.js",
    connections: 64,
    headers: browser,
  },
  {
    name: "304-64",
    title: "304-64: who has it already",
    path: "/1k.bin",
    connections: 64,
    headers: { "If-Modified-Since": new Date(longAgo * 1_000).toUTCString() },
  },
  { name: "100k-64", path: "/100k.bin", connections: 64, headers: {} },
  {
    name: "range-64",
    title: "range-64: 1 KB of 10 MB",
    path: "/10m.bin",
    connections: 64,
    headers: { Range: "bytes=5000000-5001023" },
  },
  { name: "10m-8", path: "/10m.bin", connections: 8, headers: {} },
];

await compare({ ...fileCandidates(root), cases, smokeCase: "1k-64" });
