import type { Options } from "tsup";

/** How every package is built: ESM and CommonJS, each with its own types. */
export const library: Options = {
  entry: ["src/index.ts"],
  format: ["esm", "cjs"],
  dts: true,
  clean: true,
  sourcemap: true,
  target: "node22",
  platform: "node",
  treeshake: true,
};
