// pnpm test:edge [tls | h2] [vitest options]: the scenario suites once more, with all clients of the clusters and fronts over TLS or HTTP/2.
// How they get there is `packages/core/test/support/edge.ts`.
import { spawnSync } from "node:child_process";

/** Whose requests a gateway can put in the words of HTTP/2: not those whose bytes or connections are what is tested. */
const overBoth = [
  ...["affinity", "canary", "channel", "crash", "entries", "faults", "frameworks", "headers", "health-endpoints"].map(
    (name) => `packages/core/test/cluster-${name}.test.ts`,
  ),
  ...["messages", "poison", "reload", "scale", "shutdown", "vitals"].map(
    (name) => `packages/core/test/cluster-${name}.test.ts`,
  ),
  ...["agent-faults", "front-faults", "front-relay", "reload-failures", "reload-options", "wait-queue"].map(
    (name) => `packages/core/test/${name}.test.ts`,
  ),
  "packages/core/test/worker-shutdown.test.ts",
  "packages/express/test/instances.test.ts",
  "packages/socket/test/",
];

const overTls = [
  "handoff-cluster",
  "last-answers",
  "upgrade-offers",
  "front-bad-inputs",
  "front-forwarding",
  "front-sequences",
  "front-slow-and-many",
  "front-upgrades",
].map((name) => `packages/core/test/${name}.test.ts`);

/** Hand-off mode speaks HTTP/1.1. */
const suites = {
  tls: [...overBoth, ...overTls],
  h2: [...overBoth, "--testNamePattern", "^(?!.*handoff)"],
};

const given = process.argv.slice(2);
const named = (["tls", "h2"] as const).find((edge) => edge === given[0]);
const options = named === undefined ? given : given.slice(1);
for (const edge of named === undefined ? (["tls", "h2"] as const) : [named]) {
  console.log(`over ${edge}`);
  const { status } = spawnSync(
    "vitest",
    ["run", "--project", "process", "--project", "timing", ...suites[edge], ...options],
    {
      env: { ...process.env, LB_TEST_EDGE: edge },
      stdio: "inherit",
    },
  );
  if (status !== 0) process.exitCode = status ?? 1;
}
