import { extensionOf, type PathPattern, pathOf } from "./path-pattern.ts";
import { addToTree, PathNode } from "./path-tree.ts";
import { accepts, type RoutedRequest, type RouteRule } from "./route-rule.ts";

/** The rules for which no host is named, or one. */
class Paths {
  readonly #root = new PathNode();

  add(pattern: PathPattern | undefined, number: number): void {
    addToTree(this.#root, pattern, number);
  }

  /** The first rule for the request whose number is below `best`, else `best`. */
  find(search: Search, best: number): number {
    return search.visit(this.#root, 0, best);
  }
}

/** One request's walk through the paths. */
class Search {
  readonly #rules: readonly RouteRule[];
  readonly #request: RoutedRequest;
  readonly #path: string;
  /** Where the last segment begins. */
  readonly #last: number;
  readonly #extension: string | undefined;
  /** Rules up to this one are not looked at. */
  readonly #after: number;

  constructor(rules: readonly RouteRule[], request: RoutedRequest, after: number) {
    this.#rules = rules;
    this.#request = request;
    this.#after = after;
    this.#path = pathOf(request.target);
    this.#last = this.#path.lastIndexOf("/") + 1;
    this.#extension = extensionOf(this.#path.slice(this.#last));
  }

  /** `slash`: where the next segment's slash is in the path, or the path's length behind the last. */
  visit(node: PathNode, slash: number, bestSoFar: number): number {
    if (node.first >= bestSoFar) return bestSoFar;
    let best = this.#first(node.below, bestSoFar);
    if (slash === this.#path.length) return slash === 0 ? best : this.#first(node.exact, best);
    if (this.#extension !== undefined && node.byExtension.size > 0) {
      const list = node.byExtension.get(this.#extension);
      if (list !== undefined) best = this.#first(list, best);
    }
    const next = this.#path.indexOf("/", slash + 1);
    const end = next === -1 ? this.#path.length : next;
    if (node.children.size > 0) {
      const child = node.children.get(this.#path.slice(slash + 1, end));
      if (child !== undefined) best = this.visit(child, end, best);
    }
    if (node.any !== undefined && end > slash + 1) best = this.visit(node.any, end, best);
    return best;
  }

  #first(list: readonly number[], best: number): number {
    for (const number of list) {
      if (number >= best) return best;
      if (number > this.#after && accepts(this.#rules[number]!, this.#request)) return number;
    }
    return best;
  }
}

/**
 * Finds the first rule that a request fits. The rules are compiled into tables of hosts with a trie of path segments each, so that
 * their number does not matter: what a request costs grows with the segments of its path, and with the rules that differ in
 * method and header fields alone.
 */
export class RouteTable {
  readonly #rules: readonly RouteRule[];
  readonly #anyHost = new Paths();
  readonly #hosts = new Map<string, Paths>();
  /** By what stands behind `*.`. */
  readonly #domains = new Map<string, Paths>();
  /** Some rule looks at the host. */
  readonly looksAtHosts: boolean;

  constructor(rules: readonly RouteRule[]) {
    this.#rules = rules;
    for (const [number, { hosts, paths }] of rules.entries()) {
      for (const host of hosts ?? [undefined]) {
        const table = this.#tableOf(host);
        for (const path of paths ?? [undefined]) table.add(path, number);
      }
    }
    this.looksAtHosts = this.#hosts.size + this.#domains.size > 0;
  }

  /** The number of the first rule for the request, of those behind `after`; undefined: there is none. */
  find(request: RoutedRequest, after = -1): number | undefined {
    const search = new Search(this.#rules, request, after);
    let best = this.#anyHost.find(search, Number.POSITIVE_INFINITY);
    if (this.looksAtHosts) best = this.#findByHost(request.hostName, search, best);
    return best === Number.POSITIVE_INFINITY ? undefined : best;
  }

  #findByHost(name: string, search: Search, bestSoFar: number): number {
    let best = this.#hosts.get(name)?.find(search, bestSoFar) ?? bestSoFar;
    if (this.#domains.size === 0) return best;
    for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot + 1)) {
      if (dot === 0) continue;
      best = this.#domains.get(name.slice(dot + 1))?.find(search, best) ?? best;
    }
    return best;
  }

  #tableOf(host: string | undefined): Paths {
    if (host === undefined) return this.#anyHost;
    const [tables, name] = host.startsWith("*.") ? [this.#domains, host.slice(2)] : [this.#hosts, host];
    const known = tables.get(name);
    if (known !== undefined) return known;
    const added = new Paths();
    tables.set(name, added);
    return added;
  }
}
