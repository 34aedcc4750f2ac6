import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, it } from "vitest";

const source = resolve(import.meta.dirname, "../src");

/** The packages that an entry loads, when those named are not installed. */
function load(entry: string, missing: readonly string[]) {
  const hooks = `
    import { registerHooks } from "node:module";
    const missing = ${JSON.stringify(missing)};
    registerHooks({
      resolve(specifier, context, next) {
        if (missing.includes(specifier)) throw new Error(specifier + " is not installed");
        return next(specifier, context);
      },
    });
    await import(${JSON.stringify(`${source}/${entry}`)});`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", hooks], {
    encoding: "utf8",
  });
  return { status, stderr };
}

const optional = ["express", "fastify", "helmet", "@fastify/helmet", "ioredis"];

it.each([
  ["index.ts", []],
  ["fastify.ts", ["fastify"]],
  ["helmet.ts", ["helmet"]],
  ["fastify-helmet.ts", ["fastify", "@fastify/helmet", "helmet"]],
])("%s needs none of the optional packages but %j", (entry, needed: readonly string[]) => {
  const missing = optional.filter((name) => !needed.includes(name));
  expect(load(entry, missing)).toEqual({ status: 0, stderr: "" });
});
