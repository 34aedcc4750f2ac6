import type { PathPattern } from "./path-pattern.ts";
import { pathOf } from "./path-pattern.ts";

/** Where paths begin, at a backend and where its clients find them: `""`, or a path without a slash at its end. */
export interface MovedPath {
  readonly backendPath: string;
  readonly clientPath: string;
}

export interface PathChange {
  readonly stripPrefix: string | undefined;
  readonly rewrite: string | undefined;
  readonly paths: readonly PathPattern[] | undefined;
}

const unmoved: MovedPath = { backendPath: "", clientPath: "" };

/** `/v2{uri}` and `/v2/{rest}{query}`: what is put before, and what behind that. */
const movingRewrite = /^((?:\/[^{}/]+)*)(?:\{uri\}|\{path\}\{query\}|\{path\}|(\/\{rest\})(?:\{query\})?)$/;

/**
 * How a route moves the paths of requests with this target, as far as there is a way back. A rewriting that is no matter of what a path begins
 * with has none.
 */
export function movedPaths({ stripPrefix, rewrite, paths = [] }: PathChange): (target: string) => MovedPath {
  if (stripPrefix !== undefined) {
    const moved = { backendPath: "", clientPath: stripPrefix };
    return (target) => {
      const path = pathOf(target);
      return path === stripPrefix || path.startsWith(`${stripPrefix}/`) ? moved : unmoved;
    };
  }
  const [, before, rest] = rewrite === undefined ? [] : (movingRewrite.exec(rewrite) ?? []);
  if (before === undefined) return () => unmoved;
  const clientPath = rest === undefined ? "" : fixedPartOf(paths);
  if (clientPath === undefined) return () => unmoved;
  const moved = { backendPath: before, clientPath };
  return () => moved;
}

/** What stands before the `*` of the only path, if nothing in it is open. */
function fixedPartOf(paths: readonly PathPattern[]): string | undefined {
  const [only, ...others] = paths;
  if (only === undefined) return "";
  if (others.length > 0 || only.rest.kind !== "below") return undefined;
  const segments = only.segments.filter((segment) => typeof segment === "string");
  return segments.length < only.segments.length ? undefined : segments.map((segment) => `/${segment}`).join("");
}
