// The import rules of docs/architecture.md. A layer may use what lies below it, and nothing beside it.
const core = "^packages/core/src/";
const pure = ["strategies", "load", "health", "affinity", "http", "link", "ipc", "hub"];
const outer = ["front", "probe", "supervisor", "worker", "control"];
const notTest = "\\.(test|test-d|bench)\\.ts$";

/**
 * `folder` may import itself and `allowed` of our own code; `io: false` forbids packages too, and all of Node's modules
 * but for `node:crypto`, which computes.
 */
const layer = (folder, allowed, { io }) => ({
  name: `layer-${folder}`,
  severity: "error",
  from: { path: `${core}${folder}/`, pathNot: notTest },
  to: {
    pathNot: [
      `${core}(${[folder, ...allowed].join("|")})/`,
      ...(io ? ["^node:", "^[a-z_/]+$", "node_modules"] : ["^(node:)?crypto$"]),
    ],
  },
});

export default {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    layer("model", [], { io: false }),
    ...pure.map((folder) => layer(folder, ["model"], { io: false })),
    layer("balancer", ["model", ...pure], { io: false }),
    ...outer.map((folder) => layer(folder, ["model", ...pure, "balancer"], { io: true })),
    {
      name: "public-entry-only",
      severity: "error",
      from: { path: "^packages/(socket|express)/" },
      to: { path: "^packages/core/(src|dist)/(?!index\\.)" },
    },
    {
      name: "packages-do-not-use-tests",
      severity: "error",
      from: { path: "^packages/[^/]+/src/", pathNot: notTest },
      to: { path: "^packages/[^/]+/test/|\\.test\\.ts$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/dist/|/node_modules/.*/node_modules/" },
    includeOnly: undefined,
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      extensions: [".ts", ".js", ".mjs", ".json"],
      conditionNames: ["import", "node", "types"],
    },
  },
};
