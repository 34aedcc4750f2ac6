// docs/architecture.md names files, and those there are.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

test("every file that docs/architecture.md names is there", () => {
  const page = readFileSync(join(root, "docs/architecture.md"), "utf8");
  const files = globSync("packages/*/{src,test}/**/*.ts", { cwd: root }).map((file) => `/${file}`);
  const named = [...page.matchAll(/`([\w./-]+(?:\*[\w.-]*)?\.ts)`/g)].map(([, name]) => name!);
  expect(named.length).toBeGreaterThan(100);
  const missing = named.filter((name) => {
    const pattern = new RegExp(`/${name.replaceAll(".", "\\.").replaceAll("*", "[\\w-]+")}$`);
    return !files.some((file) => pattern.test(file));
  });
  expect(missing).toEqual([]);
});
