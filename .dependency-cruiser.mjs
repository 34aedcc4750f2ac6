// The import rules of docs/architecture.md. A layer may use what lies below it, and nothing beside it.
const core = "^packages/core/src/";
const pure = [
  "strategies",
  "load",
  "rates",
  "health",
  "affinity",
  "http",
  "link",
  "ipc",
  "hub",
  "x509",
  "routing",
  "facts",
  "alerts",
];
const outer = ["front", "probe", "backends", "supervisor", "worker", "control"];
const below = ["model", ...pure, "http2", "balancer", "tls", "unix", "files", "access-log", "tracing"];
const notTest = "\\.(test|test-d|bench)\\.ts$";

/** What layers are told by options is declared with those: they take the types of settings from there, and nothing else. */
const settled = [
  "health",
  "affinity",
  "http",
  "http2",
  "tls",
  "files",
  "access-log",
  "tracing",
  "balancer",
  ...outer,
  "events",
  "alerts",
  "notify",
  "admin",
];

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
      ...(io ? ["^node:", "^[a-z0-9_/]+$", "node_modules", "^packages/core/package\\.json$"] : ["^(node:)?crypto$"]),
    ],
  },
});

/** `one` does without `other`, of the same layer. */
const apart = (one, other) => ({
  name: `apart-${one}`,
  severity: "error",
  from: { path: `${core}${one}`, pathNot: notTest },
  to: { path: `${core}${other}` },
});

export default {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    // A package may call itself by its name, as its users do.
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true, pathNot: "^@lb/" } },
    layer("model", [], { io: false }),
    ...pure.map((folder) => layer(folder, settled.includes(folder) ? ["model", "options"] : ["model"], { io: false })),
    layer("http2", ["model", "options", "http"], { io: false }),
    layer("balancer", ["model", "options", ...pure], { io: false }),
    layer("tls", ["model", "http", "options"], { io: true }),
    layer("unix", ["model"], { io: true }),
    layer("files", ["model", "http", "options"], { io: true }),
    layer("access-log", ["model", "options", "http"], { io: true }),
    layer("tracing", ["model", "options", "http"], { io: true }),
    ...outer.map((folder) => layer(folder, [...below, "options"], { io: true })),
    layer("events", [...below, "options", ...outer], { io: true }),
    {
      name: "settings-are-types",
      severity: "error",
      from: { path: `${core}(${settled.join("|")})/`, pathNot: notTest },
      to: { path: `${core}options/`, dependencyTypesNot: ["type-only"] },
    },
    layer("log", [...below, ...outer, "events"], { io: true }),
    layer("notify", ["model", "options", "alerts", "events", "log"], { io: true }),
    {
      name: "layer-options",
      severity: "error",
      from: { path: `${core}options/`, pathNot: notTest },
      to: {
        path: core,
        pathNot: `${core}((options|model|strategies|ipc|routing)/|log/log-entry\\.ts$|front/settings\\.ts$)`,
      },
    },
    layer("instance", [...below, "options", "worker"], { io: true }),
    layer("systemd", ["model", "control", "events"], { io: true }),
    layer("admin", [...below, "control", "events", "log", "options"], { io: true }),
    layer("upgrade", ["model", "options", "control", "admin", "supervisor", "systemd"], { io: true }),
    layer("standalone", [...below, "options", "probe"], { io: true }),
    layer("plane", [...below, "options", "front"], { io: true }),
    layer(
      "cluster",
      [
        ...below,
        ...outer,
        "options",
        "events",
        "log",
        "notify",
        "instance",
        "plane",
        "standalone",
        "admin",
        "systemd",
        "upgrade",
      ],
      {
        io: true,
      },
    ),
    layer(
      "cli",
      [
        "model",
        "ipc",
        "strategies",
        "access-log",
        "tls",
        "control",
        "options",
        "events",
        "log",
        "cluster",
        "worker",
        "upgrade",
      ],
      {
        io: true,
      },
    ),
    apart("front/proxy", "front/handoff"),
    apart("front/handoff", "front/proxy"),
    apart("front/proxy/(?!http2/|proxy-front\\.ts$)", "front/proxy/http2/"),
    apart("front/transport", "front/(?!transport/)"),
    apart("front/[^/]+\\.ts$", "front/(proxy|handoff|transport)/"),
    apart("worker/link", "worker/handoff"),
    apart("worker/handoff", "worker/link"),
    {
      name: "public-entry-only",
      severity: "error",
      from: { path: "^packages/(socket|express|acme|load|dashboard/src)/" },
      to: { path: "^packages/core/(src|dist)/(?!(index|kit)\\.)" },
    },
    {
      name: "the-page-is-for-browsers",
      severity: "error",
      from: { path: "^packages/dashboard/src/", pathNot: notTest },
      to: { path: ["^node:", "^packages/(core|socket|express|acme)/"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "dashboard-figures-are-pure",
      severity: "error",
      from: { path: "^packages/dashboard/src/figures/", pathNot: notTest },
      to: { pathNot: "^packages/dashboard/src/figures/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "dashboard-api-shows-nothing",
      severity: "error",
      from: { path: "^packages/dashboard/src/api/", pathNot: notTest },
      to: { path: "^packages/dashboard/src/view/" },
    },
    {
      name: "kit-is-for-our-packages",
      severity: "error",
      from: { pathNot: "^packages/(socket|express|acme)/src/" },
      to: { path: "^packages/core/(src|dist)/kit\\." },
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
      exportsFields: ["exports"],
      extensions: [".ts", ".js", ".mjs", ".json"],
      conditionNames: ["import", "node", "types"],
    },
  },
};
