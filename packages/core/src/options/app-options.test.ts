import { resolve } from "node:path";
import { expect, it, test } from "vitest";
import type { AppOptions } from "./app-options.ts";
import type { ClusterOptions } from "./cluster-options.ts";
import { parseClusterOptions } from "./cluster-settings.ts";

const entry = import.meta.filename;

function parsed(apps: readonly AppOptions[], rest: ClusterOptions = {}, alone = true) {
  return parseClusterOptions({ ...rest, apps }, { env: {}, parallelism: 4, random: () => 0, alone });
}

it("each is a backend with instances of its own, and routes to it; who has none has the rest", () => {
  const { backends, routes, instances, front } = parsed(
    [
      { name: "web", entry, instances: "auto" },
      {
        name: "api",
        entry: "app-options.ts",
        cwd: import.meta.dirname,
        routes: { path: "/api/*", stripPrefix: "/api" },
      },
      { name: "tool", exec: "tool {port}", routes: [{ host: "a.test" }, { host: "b.test" }] },
      { name: "jobs", entry, kind: "worker" },
    ],
    { routes: [{ path: "/old", to: "web" }] },
  );
  expect(instances).toBe(0);
  expect(Object.entries(backends).map(([name, { program }]) => [name, program!.kind, program!.instances])).toEqual([
    ["web", "server", 4],
    ["api", "server", 1],
    ["tool", "server", 1],
    ["jobs", "worker", 1],
  ]);
  expect(backends["api"]!.program!.runs).toMatchObject({
    entry: { file: resolve(import.meta.dirname, "app-options.ts") },
  });
  const leads = routes.map(({ name, to }) => [name, to.kind === "pools" && to.parts[0]!.pool]);
  expect(leads).toEqual([
    ["/old", "web"],
    ["/api/*", "api"],
    ["a.test", "tool"],
    ["b.test", "tool"],
    ["web", "web"],
  ]);
  expect(front.listeners).toHaveLength(1);
});

it("has what the cluster says where it says nothing itself", () => {
  const { backends } = parsed(
    [
      { name: "a", entry, env: { B: "own" }, drainTimeoutMs: 1, routes: { path: "/a" } },
      { name: "b", exec: "b", stopSignal: "SIGQUIT" },
    ],
    { env: { A: "all", B: "all" }, drainTimeoutMs: 5, stopSignal: "SIGINT", restart: { maxCrashes: 1 } },
  );
  expect(backends["a"]!.program).toMatchObject({
    env: { B: "own" },
    drainTimeoutMs: 1,
    stopSignal: "SIGINT",
    restart: { maxCrashes: 1 },
  });
  expect(backends["b"]!.program).toMatchObject({ drainTimeoutMs: 5, runs: { exec: { stop: "SIGQUIT" } } });
});

it("with ports of their own they need no other, unless somebody has routes", () => {
  const listeners = (apps: readonly AppOptions[], rest?: ClusterOptions) =>
    parsed(apps, rest).front.listeners.map(({ place }) => place.kind === "tcp" && place.port);
  const own = [
    { name: "a", entry, port: 4_000 },
    { name: "b", entry, port: 4_001 },
  ];
  expect(listeners(own)).toEqual([4_000, 4_001]);
  expect(listeners(own, { port: 80 })).toEqual([80, 4_000, 4_001]);
  expect(listeners([...own, { name: "c", entry }])).toEqual([3_000, 4_000, 4_001]);
  // Of each the whole port, whatever is asked for there.
  expect(parsed(own).routes.map(({ listener, rule }) => [listener, rule.paths])).toEqual([
    [0, undefined],
    [1, undefined],
  ]);
});

test.each<[string, readonly AppOptions[], ClusterOptions, boolean, RegExp]>([
  [
    "two with the rest",
    [
      { name: "a", entry },
      { name: "b", entry },
    ],
    {},
    true,
    /"apps\[1\]\.routes".*which are those of a/,
  ],
  ["one beside the app", [{ name: "a", entry }], {}, false, /"apps\[0\]\.routes".*which are the app's/],
  [
    "a name twice",
    [
      { name: "a", entry, port: 1 },
      { name: "a", entry },
    ],
    {},
    true,
    /"apps\[1\]\.name" is "a"/,
  ],
  ["a backend's name", [{ name: "a", entry }], { backends: { a: { exec: "x" } } }, true, /"apps\[0\]\.name"/],
  ["the app's name", [{ name: "app", entry }], {}, true, /"apps\[0\]\.name" is "app"/],
  [
    "a port twice",
    [
      { name: "a", entry, port: 1 },
      { name: "b", entry, port: 1 },
    ],
    {},
    true,
    /"apps\[1\]\.port" is 1: a has/,
  ],
  ["nothing to run", [{ name: "a" }], {}, true, /"apps\[0\]\.endpoints".*with entry/],
  [
    "no such file",
    [{ name: "a", entry: "none.js" }],
    {},
    true,
    /"apps\[0\]\.entry" is "none\.js": there is no file \//,
  ],
  ["no such directory", [{ name: "a", entry, cwd: "none" }], {}, true, /"apps\[0\]\.cwd" is "none"/],
  ["both", [{ name: "a", entry, exec: "x" }], {}, true, /"apps\[0\]\.exec".*give one/],
  ["words for a program", [{ name: "a", exec: "x", args: ["b"] }], {}, true, /"apps\[0\]\.args"/],
  ["requests for a worker", [{ name: "a", entry, kind: "worker", port: 1 }], {}, true, /"apps\[0\]\.port"/],
  [
    "a route to a worker",
    [{ name: "a", entry, kind: "worker" }],
    { routes: [{ to: "a" }] },
    true,
    /"routes\[0\]\.to".*worker/,
  ],
  ["hand-off", [{ name: "a", entry }], { mode: "handoff" }, true, /"apps\[0\]" is "a": in hand-off mode/],
  [
    "no clock",
    [{ name: "a", entry, restartCron: "at noon" }],
    {},
    true,
    /"apps\[0\]\.restartCron".*five fields of cron/,
  ],
  [
    "routes that none can take",
    [{ name: "a", entry, routes: [{}, { path: "/x" }] }],
    {},
    true,
    /"apps\[0\]\.routes\[1\]".*apps\[0\]\.routes\[0\]/,
  ],
])("refuses %s", (_what, apps, rest, alone, message) => {
  expect(() => parsed(apps, rest, alone)).toThrow(message);
});

it("workers go with hand-off mode, which is about requests", () => {
  expect(parsed([{ name: "a", entry, kind: "worker" }], { mode: "handoff" }, false).backends).toHaveProperty("a");
});
