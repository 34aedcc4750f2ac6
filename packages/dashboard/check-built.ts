// What was built is what may be served: small, with nothing that runs in the page itself, and part of the npm package.
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const maxGzippedBytes = 150_000;
const core = join(import.meta.dirname, "../core");
const built = join(core, "dist/dashboard");

const problems: string[] = [];
const compressed = globSync("**/*.gz", { cwd: built });
const bytes = compressed.reduce((sum, name) => sum + readFileSync(join(built, name)).length, 0);
if (compressed.length < 3)
  problems.push(`there are only ${compressed.length} compressed files in ${built}: pnpm build`);
if (bytes > maxGzippedBytes) problems.push(`it has ${bytes} bytes gzipped, more than ${maxGzippedBytes}`);

const page = readFileSync(join(built, "index.html"), "utf8");
if (/<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=/.test(page)) problems.push("index.html has what its CSP forbids");
if (/(?:src|href)="(?!\/)/.test(page)) problems.push("index.html names what is not ours");

const [packed] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json"], { cwd: core, encoding: "utf8" })) as [
  { readonly files: readonly { readonly path: string }[] },
];
const there = new Set(packed.files.map(({ path }) => path));
for (const name of globSync("**/*.{html,js,css,svg,gz,br}", { cwd: built })) {
  if (!there.has(`dist/dashboard/${name}`)) problems.push(`${name} is not in the package`);
}

for (const problem of problems) console.error(`dashboard: ${problem}`);
console.log(`dashboard: ${(bytes / 1_000).toFixed(1)} kB gzipped`);
process.exitCode = problems.length > 0 ? 1 : 0;
