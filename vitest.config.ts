import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./scripts/longest-first.ts";

// What measures memory or speed, fills the machine, or wants it to itself: who is suspected of killing instances is judged in 250 ms.
const timing = [
  "packages/*/test/*-memory.test.ts",
  "packages/core/test/cluster-{poison,quarantine}.test.ts",
  "bench/test/**/*.test.ts",
];

// What is compiled once for the hundreds of processes that tests start.
const env = { NODE_COMPILE_CACHE: join(tmpdir(), "lb-test-compile-cache") };

const withProcesses = {
  globalSetup: "scripts/fresh-build.ts",
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // Processes start slowly on a busy machine; what must be fast says so itself.
  expect: { poll: { timeout: 20_000 } },
  env,
};

// Half of what they do is waiting, so four files at a time where there are two processors; `free-ports.ts` has ports for fifteen.
const besideEachOther = { maxWorkers: Math.min(12, Math.max(4, availableParallelism())), sequence: { groupOrder: 1 } };

const overEdges = Object.entries({
  tls: ["front-bad-inputs", "front-faults", "cluster-frameworks", "closing"],
  h2: ["front-faults", "cluster-channel", "closing"],
}).map(([name, files]) => ({
  test: {
    ...withProcesses,
    ...besideEachOther,
    name,
    include: files.map((file) => `packages/{core,socket}/test/${file}.test.ts`),
    env: { ...env, LB_TEST_EDGE: name },
  },
}));

export default defineConfig({
  test: {
    // Three kinds of test: `unit` beside the source, pure and fast, so that its files share a process; `process` starts real
    // clusters; `timing` measures memory or speed, or fills the machine, one file at a time.
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "scripts/{chaos,soak}/*.test.ts"],
          isolate: false,
          maxWorkers: "100%",
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...withProcesses,
          ...besideEachOther,
          name: "process",
          include: [
            "packages/*/test/**/*.test.ts",
            "examples/test/**/*.test.ts",
            "compat/test/*.test.ts",
            "scripts/test/*.test.ts",
          ],
          exclude: [...timing, "**/node_modules/**"],
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
