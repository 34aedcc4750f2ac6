import { expect, test } from "vitest";
import { seededRandom } from "../../test/support/seeded-random.ts";
import type { ClusterOptions } from "./cluster-options.ts";
import { parseClusterOptions } from "./cluster-settings.ts";

type Routes = NonNullable<ClusterOptions["routes"]>;

function parsed(routes: Routes, others: Partial<ClusterOptions> = {}) {
  const backends = { api: { endpoints: ["http://10.0.0.1:3000"] } };
  const surroundings = { env: {}, parallelism: 2, random: seededRandom(1) };
  return parseClusterOptions({ backends, routes, ...others }, surroundings).routes;
}

test.each<[string, Routes, string]>([
  [
    "a backend that is none",
    [{ to: "app", path: "/a" }, { to: "apii" }],
    'Option "routes[1].to" is "apii": there is no such backend: did you mean "api"?',
  ],
  [
    "a strategy that is none",
    [{ to: "api", strategy: "fair" as never }],
    'Option "routes[0].strategy" is "fair": give a strategy, e.g. roundRobin(), or one of "round-robin"',
  ],
  [
    "what no request gets to",
    [
      { path: "/a/*", to: "api" },
      { path: "/b", to: "app" },
      { path: "/a/:id", to: "app" },
    ],
    'Option "routes[2]" is "/a/:id": no request gets to it: routes[0] (/a/*) takes all of them',
  ],
  [
    "a part of the request that there is not",
    [{ path: "/u/:id", to: "api", rewrite: "/v/{no}" }],
    'Option "routes[0].rewrite" is "/v/{no}": there is no {no}: use {path}',
  ],
  [
    "a host that a client makes up (BAD-INPUTS 178)",
    [{ to: { redirect: "https://{host}/" } }],
    'Option "routes[0].to.redirect"',
  ],
  [
    "a prefix that the path has not",
    [{ path: "/b/*", to: "api", stripPrefix: "/a" }],
    'Option "routes[0].stripPrefix" is "/a": the path /b/* does not begin with it',
  ],
  [
    "two ways to change the path",
    [{ to: "api", stripPrefix: "/a", rewrite: "/b" }],
    'Option "routes[0].rewrite" is "/b": give it or stripPrefix',
  ],
  ["what has no meaning for files", [{ to: { files: "public" }, retry: false }], 'Option "routes[0].retry"'],
  [
    "what has no meaning for an answer",
    [{ to: { respond: {} }, stripPrefix: "/a" }],
    'Option "routes[0].stripPrefix" is "/a": nothing is sent on by this route',
  ],
])("%s is an error that says where it is", (_, routes, message) => {
  expect(() => parsed(routes)).toThrow(message);
});

test("a host that no request may name is an error", () => {
  const allowedHosts = ["a.example", "x.b.example"];
  expect(() => parsed([{ host: "c.example", to: "api" }], { allowedHosts })).toThrow(
    'Option "routes[0].host" is "c.example": no request may name it',
  );
  expect(parsed([{ host: ["a.example", "*.b.example"], to: "api" }], { allowedHosts })).toHaveLength(1);
});

test("behind files that leave what is not there to others everything is reached", () => {
  expect(parsed([{ to: { files: "public", fallthrough: true } }, { path: "/a", to: "api" }])).toHaveLength(2);
  expect(() => parsed([{ to: { files: "public" } }, { path: "/a", to: "api" }])).toThrow("no request gets to it");
});

test("10,000 routes are checked in a moment", () => {
  const routes = Array.from({ length: 10_000 }, (_, number) => ({ path: `/service-${number}/*`, to: "api" }));
  const began = performance.now();
  expect(parsed(routes)).toHaveLength(10_000);
  // Some 500 ms; with a look at each pair it took 8 s.
  expect(performance.now() - began).toBeLessThan(4_000);
});
