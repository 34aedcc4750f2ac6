import { matchPath, type PathPattern, pathOf } from "./path-pattern.ts";

/** What templates may name besides the segments of the pattern. */
export const templateNames = ["path", "query", "uri", "rest", "host"] as const;

export interface TemplateFacts {
  readonly target: string;
  /** As the client wrote it, with its port. */
  readonly host: string;
}

type Part = { readonly text: string } | { readonly name: string };

/**
 * A text with parts of the request in it: `{path}`, `{query}` with its question mark, `{uri}`, which is both, `{host}`, `{rest}`, which is what
 * stands for the `*` of the route's path, and the segments that the path names. Octets are put in as they came.
 */
export class TargetTemplate {
  readonly #parts: readonly Part[];
  readonly #patterns: readonly PathPattern[];

  /** Names must be known: see {@link namesIn}. */
  constructor(text: string, patterns: readonly PathPattern[]) {
    this.#parts = partsOf(text);
    this.#patterns = patterns;
  }

  /** Where it begins with parts of the request, it has one slash there: two would lead to another host. */
  fill({ target, host }: TemplateFacts): string {
    const path = pathOf(target);
    const query = target.slice(path.length);
    const { rest, segments } = this.#match(path);
    const known: Readonly<Record<string, string>> = { ...segments, path, query, uri: target, rest, host };
    const filled = this.#parts.map((part) => ("text" in part ? part.text : known[part.name]!)).join("");
    return filled.startsWith("/") ? `/${filled.replace(/^[/\\]+/, "")}` : filled;
  }

  #match(path: string) {
    for (const pattern of this.#patterns) {
      const match = matchPath(pattern, path);
      if (match !== undefined) return match;
    }
    return { rest: path.slice(1), segments: {} };
  }
}

/** What a template names. */
export function namesIn(text: string): readonly string[] {
  return partsOf(text).flatMap((part) => ("name" in part ? [part.name] : []));
}

/** What it may name, where the route has these paths: segments have to be in all of them. */
export function namesKnown(patterns: readonly PathPattern[]): ReadonlySet<string> {
  const [first = [], ...others] = patterns.map(({ segments }) =>
    segments.flatMap((segment) => (typeof segment === "string" ? [] : [segment.name])),
  );
  return new Set([...templateNames, ...first.filter((name) => others.every((names) => names.includes(name)))]);
}

function partsOf(text: string): readonly Part[] {
  return text.split(/(\{\w+\})/).flatMap((part): Part[] => {
    if (part === "") return [];
    return part.startsWith("{") && part.endsWith("}") ? [{ name: part.slice(1, -1) }] : [{ text: part }];
  });
}
