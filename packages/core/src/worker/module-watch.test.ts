import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { watchModules } from "./module-watch.ts";

// How it is with those that ES modules import: packages/socket/test/lb-start.test.ts.
test("a module is noticed whether it was loaded before or after", () => {
  const folder = mkdtempSync(join(tmpdir(), "lb-modules-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ["early.js", "late.cjs"]) writeFileSync(join(folder, name), `exports.name = "${name}"`);
  const requireThere = createRequire(join(folder, "app.cjs"));
  const required = (file: string) => requireThere(`./${file}`);
  const seen: unknown[] = [];
  const watched = (name: string) => ({
    name: `./${name}.cjs`,
    file: new RegExp(`/${name}\\.js$`),
    loaded: (exports: unknown, by: string | undefined) => seen.push([(exports as { name: string }).name, by]),
  });
  required("early.js");
  watchModules(["early", "late"].map(watched));
  required("late.cjs");
  required("late.cjs");
  expect(seen).toEqual([
    ["early.js", undefined],
    ["late.cjs", join(folder, "app.cjs")],
    ["late.cjs", join(folder, "app.cjs")],
  ]);
});
