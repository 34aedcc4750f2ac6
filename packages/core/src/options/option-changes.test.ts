import { expect, test } from "vitest";
import { type ChangeRule, changeRules } from "./change-rules.ts";
import { changedBy } from "./changed-by.ts";
import { type ClusterOptions, clusterSchema } from "./cluster-options.ts";
import { type DescribedOption, describe as described } from "./option.ts";
import { optionChanges } from "./option-changes.ts";

const changes = (before: ClusterOptions, after: ClusterOptions, mode: "proxy" | "handoff" = "proxy") =>
  optionChanges(before, after, mode).map(({ option, from, to, by }) => `${option}: ${from} -> ${to}, ${by}`);

test("what is the same is no change, whether it is said or not", () => {
  const options: ClusterOptions = { port: 80, routes: [{ path: "/a", to: "app" }], health: { slowStartMs: 5 } };
  expect(changes(options, structuredClone(options))).toEqual([]);
  expect(changes({}, { strategy: "least-connections", backendHeader: false })).toEqual([]);
  expect(
    changes(
      { rateLimit: { points: 1, windowMs: 1_000, key: () => "a" } },
      { rateLimit: { points: 1, windowMs: 1_000, key: () => "a" } },
    ),
  ).toEqual([]);
});

test("an option by its path, old and new, and how it is changed", () => {
  expect(changes({ port: 80 }, { port: 81, strategy: "round-robin" })).toEqual([
    "port: 80 -> 81, upgrade",
    'strategy: "least-connections" (default) -> "round-robin", in place',
  ]);
  expect(changes({ limits: { maxHeadBytes: 8_192 } }, { limits: { maxHeadBytes: 4_096 } })).toEqual([
    "limits.maxHeadBytes: 8192 -> 4096, in place",
  ]);
  expect(changes({}, { limits: { maxHeadBytes: 4_096 } }, "handoff")).toEqual([
    "limits.maxHeadBytes: 16384 (default) -> 4096, upgrade",
  ]);
  expect(changes({ env: { A: "1" } }, { env: { A: "2" } })).toEqual(['env.A: "•••" -> "•••", reload']);
});

test("routes by their numbers; those before and behind stay", () => {
  const [a, b, c] = ["/a", "/b", "/c"].map((path) => ({ path, to: "app" }));
  expect(changes({ routes: [a!, c!] }, { routes: [a!, b!, c!] })).toEqual([
    'routes[1]: undefined -> {"path":"/b","to":"app"}, in place',
  ]);
  expect(changes({ routes: [a!, b!, c!] }, { routes: [a!, { ...b!, to: "api" }, c!] })).toEqual([
    'routes[1].to: "app" -> "api", in place',
  ]);
});

test("a backend that is reached elsewhere is changed in place, one that is run here is not", () => {
  const api = { endpoints: ["http://10.0.0.1:80"] };
  expect(changes({}, { backends: { api } })).toEqual([
    'backends.api: undefined -> {"endpoints":["http://10.0.0.1:80"]}, in place',
  ]);
  expect(changes({ backends: { api } }, { backends: { api: { endpoints: ["http://10.0.0.2:80"] } } })).toEqual([
    'backends.api.endpoints: ["http://10.0.0.1:80"] -> ["http://10.0.0.2:80"], in place',
  ]);
  expect(changes({ backends: { api, py: { exec: "py" } } }, { backends: { api } })).toEqual([
    'backends.py: {"exec":"py"} -> undefined, upgrade',
  ]);
});

test("secrets are not shown", () => {
  const to = {
    affinity: { cookie: { secret: "a secret of sixteen" } },
    alerts: { to: [{ webhook: "https://name:word@hooks.example/x" }] },
    https: { certificates: [{ cert: "c.pem", key: "-----BEGIN PRIVATE KEY-----\nabc" }] },
    headers: { request: { set: { Authorization: "Bearer abc" } } },
    env: { TOKEN: "abc" },
  } as unknown as ClusterOptions;
  const text = changes({}, to).join("\n");
  expect(text).not.toMatch(/sixteen|word@|abc/);
  expect(text).toContain("•••");
});

/** Those of `parts` that say nothing, and what is said of none. */
function unlike(rules: Readonly<Record<string, ChangeRule>>, parts: readonly DescribedOption[]): readonly string[] {
  const names = parts.map(({ path }) => path.split(".").at(-1)!);
  const missing = parts.filter((_, at) => !Object.hasOwn(rules, names[at]!)).map(({ path }) => path);
  const nobodys = Object.keys(rules).filter((name) => !names.includes(name));
  const within = parts.flatMap((part, at) => {
    const rule = rules[names[at]!];
    return typeof rule === "object" && "parts" in rule ? unlike(rule.parts, part.parts) : [];
  });
  return [...missing, ...nobodys, ...within];
}

test("every option says how it is changed, and every part where they are told apart", () => {
  const all = described(clusterSchema);
  const { apps, ...rules } = changeRules;
  expect(
    unlike(
      rules,
      all.filter(({ path }) => path !== "apps"),
    ),
  ).toEqual([]);
  // What an app has besides is a backend's.
  const ofApps = new Set(Object.keys((apps as { readonly parts: object }).parts));
  const declared = ["apps", "backends"].flatMap((group) => all.find(({ path }) => path === group)!.parts);
  const ofBackends = ["endpoints", "host", "tls", "pool", "proxyProtocol", "lookup"];
  const names = declared.map(({ path }) => path.split(".").at(-1)!).filter((name) => !ofBackends.includes(name));
  expect([...ofApps].sort()).toEqual([...new Set(names)].sort());
});

test("whole groups are changed as the part of them is that takes most", () => {
  expect(changedBy(["https"], "proxy")).toBe("upgrade");
  expect(changedBy(["backends"], "proxy", { endpoints: [] })).toBe("in place");
});
