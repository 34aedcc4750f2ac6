// Before the tests that start processes: those run what is built, as users do, and it is to be what is in `src`.
import { spawnSync } from "node:child_process";
import { globSync, statSync } from "node:fs";

const root = new URL("..", import.meta.url);

export function setup(): void {
  const written = (pattern: string, exclude: readonly string[]) =>
    globSync(pattern, { cwd: root, exclude }).map((file) => statSync(new URL(file, root)).mtimeMs);
  const stale = ["core", "socket", "express", "acme", "load", "dashboard"].filter((name) => {
    const [place, files] =
      name === "dashboard" ? ["core/dist/dashboard", "index.html{,.gz}"] : [`${name}/dist`, "index.{js,cjs}"];
    const built = written(`packages/${place}/${files}`, []);
    const source = written(`packages/${name}/src/**/*.{ts,tsx,css,html}`, ["**/*.test.ts"]);
    return built.length < 2 || Math.max(...source) > Math.min(...built);
  });
  if (stale.length === 0) return;
  const names = stale.map((name) => `@lb/${name}`);
  console.log(`building ${names.join(", ")}, whose source is newer than what was built`);
  const filters = names.flatMap((name) => ["--filter", name]);
  const { status, stdout } = spawnSync("pnpm", [...filters, "run", "build"], { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`pnpm build failed:\n${stdout}`);
}
