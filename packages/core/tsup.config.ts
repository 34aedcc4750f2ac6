import { defineConfig } from "tsup";
import { library } from "../../tsup.library.ts";

/** A module that exists as ESM alone is part of the bundle, or whoever loads CommonJS with other means than Node's could not. */
const bundled = { noExternal: ["range-parser"] };

export default defineConfig([
  // Splitting gives both entries the same classes, so that an error of one is an instance of the other's.
  // The dashboard is built by its own package, after this one, and found by where this module is (`shims`, in CommonJS).
  {
    ...library,
    ...bundled,
    entry: ["src/index.ts", "src/kit.ts"],
    splitting: true,
    shims: true,
    clean: ["!dashboard/**"],
  },
  // The command `lb`, beside the library.
  {
    ...library,
    ...bundled,
    entry: { cli: "src/cli/main.ts" },
    format: ["esm"],
    dts: false,
    clean: false,
    banner: { js: "#!/usr/bin/env node" },
  },
  // What instances of an app that is a file are started with.
  {
    ...library,
    entry: { "app-instance": "src/worker/app-instance.ts" },
    format: ["esm"],
    dts: false,
    clean: false,
  },
  // What `lb start` has the processes load that a program starts.
  {
    ...library,
    entry: { "child-hook": "src/worker/listen/child-hook.ts" },
    format: ["cjs"],
    dts: false,
    clean: false,
  },
]);
