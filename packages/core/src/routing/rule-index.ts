import { type AnySegment, extensionOf, type PathPattern } from "./path-pattern.ts";
import type { HeaderRule, RouteRule } from "./route-rule.ts";

/** Patterns that begin alike, and the numbers of the rules with them, in ascending order. */
class Node {
  readonly exact: number[] = [];
  readonly below: number[] = [];
  readonly byExtension = new Map<string, number[]>();
  readonly children = new Map<string, Node>();
  any: Node | undefined;
}

/**
 * Which of many rules could take all that one takes, without a look at each of them: those with a host, a path and a header field that take
 * all of its first ones. Others cannot.
 */
export class RuleIndex {
  /** By what is asked of host and header. */
  readonly #roots = new Map<string, Node>();

  /** Numbers are to be added in ascending order. */
  add({ hosts, paths, headers }: RouteRule, number: number): void {
    for (const key of keysOf(headers[0])) {
      for (const host of hosts ?? [""]) {
        const root = entry(this.#roots, `${host} ${key}`, () => new Node());
        for (const path of paths ?? [undefined]) listOf(root, path).push(number);
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

function listOf(root: Node, pattern: PathPattern | undefined): number[] {
  let node = root;
  for (const segment of pattern?.segments ?? []) node = childOf(node, segment);
  if (pattern === undefined) return node.below;
  if (pattern.rest.kind === "extension") return entry(node.byExtension, pattern.rest.extension, () => []);
  return pattern.rest.kind === "below" ? node.below : node.exact;
}

function childOf(node: Node, segment: string | AnySegment): Node {
  if (typeof segment === "string") return entry(node.children, segment, () => new Node());
  node.any ??= new Node();
  return node.any;
}

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function visit(node: Node, pattern: PathPattern, depth: number, found: Set<number>): void {
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
