import { defineConfig } from "vitest/config";

// What measures memory or speed, or fills the machine.
const timing = ["packages/*/test/*-memory.test.ts", "bench/test/**/*.test.ts"];

const withProcesses = {
  globalSetup: "scripts/fresh-build.ts",
  testTimeout: 30_000,
  hookTimeout: 30_000,
  // Processes start slowly on a busy machine; what must be fast says so itself.
  expect: { poll: { timeout: 10_000 } },
};

const overEdges = Object.entries({
  tls: ["front-bad-inputs", "front-faults", "cluster-frameworks", "closing"],
  h2: ["front-faults", "cluster-channel", "closing"],
}).map(([name, files]) => ({
  test: {
    ...withProcesses,
    name,
    include: files.map((file) => `packages/{core,socket}/test/${file}.test.ts`),
    env: { LB_TEST_EDGE: name },
    maxWorkers: 3,
    sequence: { groupOrder: 1 },
  },
}));

export default defineConfig({
  test: {
    // Three kinds of test: `unit` beside the source, pure and fast; `process` starts real clusters, three files at a time,
    // since most of that is waiting; `timing` measures memory or speed, or fills the machine, one file at a time.
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "scripts/chaos/*.test.ts"],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...withProcesses,
          name: "process",
          include: [
            "packages/*/test/**/*.test.ts",
            "examples/test/**/*.test.ts",
            "compat/test/*.test.ts",
            "scripts/test/*.test.ts",
          ],
          exclude: [...timing, "**/node_modules/**"],
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      // Once more, with their clients over TLS and HTTP/2; `pnpm test:edge` does so with all that can be.
      ...overEdges,
      {
        test: {
          ...withProcesses,
          name: "timing",
          include: timing,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
