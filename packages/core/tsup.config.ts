import { defineConfig } from "tsup";
import { library } from "../../tsup.library.ts";

export default defineConfig([
  library,
  // The command `lb`, beside the library.
  {
    ...library,
    entry: { cli: "src/cli/main.ts" },
    format: ["esm"],
    dts: false,
    clean: false,
    banner: { js: "#!/usr/bin/env node" },
  },
]);
