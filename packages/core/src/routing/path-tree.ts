import type { AnySegment, PathPattern } from "./path-pattern.ts";

/** Patterns that begin alike. Lists are numbers of rules, in ascending order. */
export class PathNode {
  readonly exact: number[] = [];
  readonly below: number[] = [];
  readonly byExtension = new Map<string, number[]>();
  readonly children = new Map<string, PathNode>();
  any: PathNode | undefined;
  /** The first of the rules here and further down: a look at those behind one that was found is not worth it. */
  first = Number.POSITIVE_INFINITY;
}

/** Adds a rule's number where its pattern ends; undefined: it is for every path. */
export function addToTree(root: PathNode, pattern: PathPattern | undefined, number: number): void {
  let node = root;
  node.first = Math.min(node.first, number);
  for (const segment of pattern?.segments ?? []) {
    node = childOf(node, segment);
    node.first = Math.min(node.first, number);
  }
  listIn(node, pattern).push(number);
}

function childOf(node: PathNode, segment: string | AnySegment): PathNode {
  if (typeof segment !== "string") {
    node.any ??= new PathNode();
    return node.any;
  }
  let child = node.children.get(segment);
  if (child === undefined) {
    child = new PathNode();
    node.children.set(segment, child);
  }
  return child;
}

function listIn(node: PathNode, pattern: PathPattern | undefined): number[] {
  if (pattern === undefined || pattern.rest.kind === "below") return node.below;
  if (pattern.rest.kind !== "extension") return node.exact;
  const { extension } = pattern.rest;
  const list = node.byExtension.get(extension) ?? [];
  node.byExtension.set(extension, list);
  return list;
}
