// How long it takes to find a request's route, with one, a hundred and a thousand of them.
import { test } from "vitest";
import { parsePathPattern } from "./path-pattern.ts";
import type { RoutedRequest, RouteRule } from "./route-rule.ts";
import { RouteTable } from "./route-table.ts";

const rule = (path: string, host?: string): RouteRule => ({
  hosts: host === undefined ? undefined : [host],
  paths: [parsePathPattern(path)!],
  methods: ["GET", "POST"],
  headers: [],
});

const asks = (target: string): RoutedRequest => ({
  method: "GET",
  target,
  hostName: "a.example",
  header: () => undefined,
});

test("what a request costs", async ({ bench }) => {
  const cases = [1, 100, 1_000].flatMap((count): [string, () => unknown][] => {
    const numbers = Array.from({ length: count }, (_, number) => number);
    const paths = new RouteTable(numbers.map((number) => rule(`/service-${number}/v1/*`)));
    const hosts = new RouteTable(
      numbers.map((number) => rule("/api/*", number === 0 ? "a.example" : `h${number}.example`)),
    );
    const [last, none, api] = [asks(`/service-${count - 1}/v1/items/7?x=1`), asks("/index.html"), asks("/api/items/7")];
    return [
      [`${count} routes: the last`, () => paths.find(last)],
      [`${count} routes: none`, () => paths.find(none)],
      [`${count} hosts`, () => hosts.find(api)],
    ];
  });
  // Hundreds of calls a sample, so that the harness's own cost does not show.
  let kept: unknown;
  const batch = 500;
  const runs = cases.map(([name, run]) =>
    bench(`${name} × ${batch}`, () => {
      for (let left = batch; left > 0; left--) kept = run();
    }),
  );
  const [first, second, ...rest] = runs;
  await bench.compare(first!, second!, ...rest, { time: 200 });
  if (kept === cases) throw new Error("unreachable: keeps the results from being optimised away");
});
