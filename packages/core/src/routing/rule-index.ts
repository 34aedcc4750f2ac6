import { extensionOf, type PathPattern } from "./path-pattern.ts";
import { addToTree, PathNode } from "./path-tree.ts";
import type { HeaderRule, RouteRule } from "./route-rule.ts";

/**
 * Which of many rules could take all that one takes, without a look at each of them: those with a host, a path and a header field that take
 * all of its first ones. Others cannot.
 */
export class RuleIndex {
  /** By what is asked of host and header. */
  readonly #roots = new Map<string, PathNode>();

  /** Numbers are to be added in ascending order. */
  add({ hosts, paths, headers }: RouteRule, number: number): void {
    for (const key of keysOf(headers[0])) {
      for (const host of hosts ?? [""]) {
        const root = entry(this.#roots, `${host} ${key}`, () => new PathNode());
        for (const path of paths ?? [undefined]) addToTree(root, path, number);
      }
    }
  }

  /** In ascending order. */
  candidates({ hosts, paths, headers }: RouteRule): readonly number[] {
    const found = new Set<number>();
    const path = paths?.[0];
    for (const host of hostsAbove(hosts?.[0])) {
      for (const key of ["", ...headers.flatMap(keysMet)]) {
        const root = this.#roots.get(`${host} ${key}`);
        if (root === undefined) continue;
        if (path === undefined) collect(root.below, found);
        else visit(root, path, 0, found);
      }
    }
    return [...found].sort((a, b) => a - b);
  }
}

/** A rule with several values takes what has any of them. */
function keysOf(rule: HeaderRule | undefined): readonly string[] {
  if (rule === undefined) return [""];
  if (rule.kind === "present") return [`${rule.present ? "+" : "-"}${rule.name}`];
  return [...new Set(rule.values)].map((value) => `=${rule.name}: ${value}`);
}

/** By one of these keys those are found that take all that is as `rule` says. */
function keysMet(rule: HeaderRule): readonly string[] {
  if (rule.kind === "present") return keysOf(rule);
  return [`+${rule.name}`, `=${rule.name}: ${rule.values[0]}`];
}

/** Itself, and what takes all of it. */
function hostsAbove(host: string | undefined): readonly string[] {
  if (host === undefined) return [""];
  const name = host.startsWith("*.") ? host.slice(2) : host;
  const labels = name.split(".");
  return [...new Set(["", host, ...labels.map((_, index) => `*.${labels.slice(index).join(".")}`)])];
}

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function visit(node: PathNode, pattern: PathPattern, depth: number, found: Set<number>): void {
  const { segments } = pattern;
  collect(node.below, found);
  const extension = extensionIn(pattern);
  if (extension !== undefined) collect(node.byExtension.get(extension) ?? [], found);
  if (depth === segments.length) {
    collect(node.exact, found);
    return;
  }
  const segment = segments[depth]!;
  const child = typeof segment === "string" ? node.children.get(segment) : undefined;
  if (child !== undefined) visit(child, pattern, depth + 1, found);
  if (node.any !== undefined && segment !== "") visit(node.any, pattern, depth + 1, found);
}

/** That all paths that are meant end in, as far as it can be told. */
function extensionIn({ segments, rest }: PathPattern): string | undefined {
  if (rest.kind === "extension") return rest.extension;
  const last = segments.at(-1);
  return typeof last === "string" ? extensionOf(last) : undefined;
}

function collect(numbers: readonly number[], found: Set<number>): void {
  for (const number of numbers) found.add(number);
}
