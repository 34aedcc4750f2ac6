import { defineConfig } from "tsup";
import { library } from "../../tsup.library.ts";

// Shims: CommonJS has no `import.meta.url`, from which optional packages are found.
export default defineConfig({ ...library, shims: true });
