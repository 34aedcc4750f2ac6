/** Stands for one segment, whatever it is, but an empty one. */
export interface AnySegment {
  readonly name: string;
}

/**
 * Which paths are meant: those whose segments begin with `segments`, and then
 * - `exact`: have no others;
 * - `below`: have any others, or none;
 * - `extension`: have at least one, of which the last ends in a full stop and the extension.
 */
export interface PathPattern {
  /** As it was written. */
  readonly text: string;
  readonly segments: readonly (string | AnySegment)[];
  readonly rest: { readonly kind: "exact" | "below" } | { readonly kind: "extension"; readonly extension: string };
}

/** What a path has where its pattern leaves it open. */
export interface PathMatch {
  /** What stands for the `*` at the end, without the slash before it, or `""`. */
  readonly rest: string;
  /** By the names of segments. */
  readonly segments: Readonly<Record<string, string>>;
}

/**
 * - `"/a/b"`: that path;
 * - `"/a/*"`: `/a`, and all below it; `"/*"`, `"*"`: all;
 * - `"/a/:id/b"`: with any segment in that place;
 * - `"*.php"`, `"/a/*.php"`: all, or all below `/a`, whose last segment ends so.
 *
 * Undefined: it is no pattern.
 */
export function parsePathPattern(text: string): PathPattern | undefined {
  if (!isPattern.test(text)) return undefined;
  const parts = (text.startsWith("/") ? text.slice(1) : text).split("/");
  const last = parts.at(-1)!;
  const open = last.startsWith("*");
  if (!text.startsWith("/") && (parts.length > 1 || !open)) return undefined;
  const extension = open ? last.slice(1) : "";
  if (extension !== "" && !isExtension.test(extension)) return undefined;
  const named = (open ? parts.slice(0, -1) : parts).map((part) =>
    part.startsWith(":") ? { name: part.slice(1) } : part,
  );
  const names = named.flatMap((part) => (typeof part === "string" ? [] : [part.name]));
  if (new Set(names).size < names.length || !names.every((name) => isName.test(name))) return undefined;
  if (named.some((part) => typeof part === "string" && part.includes("*"))) return undefined;
  const rest = open
    ? extension === ""
      ? ({ kind: "below" } as const)
      : ({ kind: "extension", extension: extension.slice(1) } as const)
    : ({ kind: "exact" } as const);
  return { text, segments: named, rest };
}

/** The octets of a path, but for `?` and `#`, and without white space; longer ones are no path of anybody's. */
const isPattern = /^[\x21-\x22\x24-\x3e\x40-\x7e]{1,1024}$/;
const isExtension = /^\.[\w-]+$/;
const isName = /^[A-Za-z_]\w*$/;

/** The path of a target, as it is written there. That of `*` is empty. */
export function pathOf(target: string): string {
  if (target === "*") return "";
  const query = target.indexOf("?");
  return query === -1 ? target : target.slice(0, query);
}

/** Undefined: the path is none of those that are meant. By the very octets: nothing is decoded, case counts. */
export function matchPath({ segments, rest }: PathPattern, path: string): PathMatch | undefined {
  const parts = path === "" ? [] : path.slice(1).split("/");
  const found: Record<string, string> = {};
  if (parts.length < segments.length) return undefined;
  for (const [index, segment] of segments.entries()) {
    const part = parts[index]!;
    if (typeof segment === "string") {
      if (part !== segment) return undefined;
    } else {
      if (part === "") return undefined;
      found[segment.name] = part;
    }
  }
  const more = parts.slice(segments.length);
  switch (rest.kind) {
    case "exact":
      return more.length === 0 && parts.length > 0 ? { rest: "", segments: found } : undefined;
    case "below":
      return { rest: more.join("/"), segments: found };
    case "extension":
      return extensionOf(more.at(-1) ?? "") === rest.extension ? { rest: more.join("/"), segments: found } : undefined;
  }
}

/** Behind the last full stop of a segment; undefined: it has none. */
export function extensionOf(segment: string): string | undefined {
  const dot = segment.lastIndexOf(".");
  return dot === -1 ? undefined : segment.slice(dot + 1);
}

/** Whether every path that `inner` means is one that `outer` means. */
export function covers(outer: PathPattern, inner: PathPattern): boolean {
  if (outer.segments.length > inner.segments.length) return false;
  const begins = outer.segments.every((segment, index) => {
    const other = inner.segments[index]!;
    if (typeof segment !== "string") return other !== "";
    return segment === other;
  });
  if (!begins) return false;
  switch (outer.rest.kind) {
    case "below":
      return true;
    case "exact":
      return inner.rest.kind === "exact" && inner.segments.length === outer.segments.length;
    case "extension": {
      const { extension } = outer.rest;
      if (inner.rest.kind === "extension") return inner.rest.extension === extension;
      const last = inner.segments.length > outer.segments.length ? inner.segments.at(-1) : undefined;
      return inner.rest.kind === "exact" && typeof last === "string" && extensionOf(last) === extension;
    }
  }
}
