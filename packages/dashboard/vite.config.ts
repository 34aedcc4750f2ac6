import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Where `@lb/core` serves it from: `src/admin/dashboard-pages.ts`. */
const outDir = join(import.meta.dirname, "../core/dist/dashboard");

export default defineConfig({
  root: join(import.meta.dirname, "src"),
  publicDir: join(import.meta.dirname, "public"),
  plugins: [compressed()],
  build: {
    outDir,
    emptyOutDir: true,
    target: "es2023",
    // Text in a page does not run there, so nothing may be put into it.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: { output: { codeSplitting: false } },
  },
});

/** Beside each file, the same compressed: it is done once, and not by the process that the traffic passes. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle: async () => {
      for (const name of await readdir(outDir, { recursive: true })) {
        if (!/\.(html|js|css|svg)$/.test(name)) continue;
        const plain = await readFile(join(outDir, name));
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        await writeFile(join(outDir, `${name}.gz`), await promisify(gzip)(plain, { level: 9 }));
        await writeFile(join(outDir, `${name}.br`), await promisify(brotliCompress)(plain, { params }));
      }
    },
  };
}
