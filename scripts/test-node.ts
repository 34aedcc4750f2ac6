// pnpm test:node <22 | 24 | 26> [vitest options]: the process tests on that Node.js. Vitest itself runs on it, so that all
// that tests start does: they start `process.execPath`, or the first `node` on the PATH.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { delimiter, dirname } from "node:path";

const [version, ...rest] = process.argv.slice(2);
const workspace = createRequire(import.meta.url);
const compat = createRequire(new URL("../compat/package.json", import.meta.url));
const nodes: Readonly<Record<string, () => string>> = {
  "22": () => compat.resolve("node22/bin/node"),
  "24": () => workspace.resolve("node/bin/node"),
  "26": () => compat.resolve("node26/bin/node"),
};

const node = nodes[version ?? ""]?.();
if (node === undefined) {
  console.error(`usage: pnpm test:node <${Object.keys(nodes).join(" | ")}> [vitest options]`);
  process.exitCode = 2;
} else {
  const vitest = workspace.resolve("vitest/package.json");
  const { status } = spawnSync(
    node,
    [`${dirname(vitest)}/vitest.mjs`, "run", "--project", "process", "--project", "timing", ...rest],
    { env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env["PATH"]}` }, stdio: "inherit" },
  );
  process.exitCode = status ?? 1;
}
