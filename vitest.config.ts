import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Two kinds of test: `unit` beside the source, pure and fast; `process` starts real clusters and runs them one
    // file at a time, so that timings are not those of a crowded machine.
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts"],
        },
      },
      {
        test: {
          name: "process",
          include: [
            "packages/*/test/**/*.test.ts",
            "examples/test/**/*.test.ts",
            "bench/test/**/*.test.ts",
            "compat/test/*.test.ts",
          ],
          fileParallelism: false,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          // Processes start slowly on a busy machine; what must be fast says so itself.
          expect: { poll: { timeout: 10_000 } },
        },
      },
    ],
  },
});
