import type { FileSettings } from "../options/file-options.ts";
import { type Coding, codings } from "./content-coding.ts";
import { contentType, extensionOf, isCompressible, knownType } from "./content-type.ts";
import type { FilePath } from "./file-path.ts";
import type { Known, KnownFile } from "./known-file.ts";
import type { RequestWish } from "./request-wish.ts";

export type ResolutionRules = Pick<
  FileSettings,
  "index" | "extensions" | "fallback" | "notFound" | "precompressed" | "types"
>;

/** What answers a request, before its conditions and ranges are looked at. */
export type Resolution =
  | {
      readonly kind: "file";
      readonly status: 200 | 404;
      /** By which its type and how long it keeps are known: without the extension of a coding. */
      readonly name: string;
      readonly type: string;
      readonly file: KnownFile;
      readonly coding: Coding | undefined;
      /** Who does not go there as to a page gets another answer. */
      readonly forPages: boolean;
      /** There could be another answer for other requests, by these fields. */
      readonly vary: string | undefined;
    }
  /** A directory that was asked for as if it were a file. */
  | { readonly kind: "redirect" }
  | { readonly kind: "none" };

/**
 * Finds what answers. Asks for what is known of one name after the other, and is given it: whoever runs this may have it in memory, or
 * look for it.
 */
export function* resolve(
  path: FilePath | undefined,
  wish: RequestWish,
  rules: ResolutionRules,
): Generator<string, Resolution, Known> {
  if (path !== undefined) {
    const found = yield* named(path, rules);
    if (found !== undefined) return found.kind === "redirect" ? found : yield* coded(found, wish, rules);
  }
  if (path !== undefined && rules.fallback !== undefined && wish.navigates && mayBeOfApp(path)) {
    const file = yield rules.fallback;
    if (file.kind === "file")
      return yield* coded({ name: rules.fallback, file, status: 200, forPages: true }, wish, rules);
  }
  if (rules.notFound !== undefined) {
    const file = yield rules.notFound;
    if (file.kind === "file") return yield* coded({ name: rules.notFound, file, status: 404 }, wish, rules);
  }
  return { kind: "none" };
}

interface Found {
  readonly name: string;
  readonly file: KnownFile;
  readonly status: 200 | 404;
  readonly forPages?: boolean;
}

type Named = ({ readonly kind: "found" } & Found) | { readonly kind: "redirect" } | undefined;

function* named({ name, slash }: FilePath, rules: ResolutionRules): Generator<string, Named, Known> {
  if (!slash) {
    const exact = yield name;
    if (exact.kind === "file") return { kind: "found", name, file: exact, status: 200 };
    // Before the directory: sites that are exported have `blog.html` beside `blog/`.
    for (const extension of rules.extensions) {
      const file = yield name + extension;
      if (file.kind === "file") return { kind: "found", name: name + extension, file, status: 200 };
    }
    if (exact.kind === "absent") return undefined;
  }
  if (rules.index === undefined) return undefined;
  const index = name === "" ? rules.index : `${name}/${rules.index}`;
  const file = yield index;
  if (file.kind !== "file") return undefined;
  return slash ? { kind: "found", name: index, file, status: 200 } : { kind: "redirect" };
}

function* coded(found: Found, wish: RequestWish, rules: ResolutionRules): Generator<string, Resolution, Known> {
  const { name, status, forPages = false } = found;
  const type = contentType(name, rules.types);
  const encoded = rules.precompressed && isCompressible(type);
  const vary = encoded ? (forPages ? "Accept-Encoding, Accept" : "Accept-Encoding") : forPages ? "Accept" : undefined;
  if (encoded) {
    for (const coding of wish.codings) {
      const file = yield name + coding.extension;
      if (file.kind === "file") return { kind: "file", status, name, type, file, coding, vary, forPages };
    }
  }
  return { kind: "file", status, name, type, file: found.file, coding: undefined, vary, forPages };
}

/** A path within an app that routes by itself: none of something that would be a file. `/users/jane.doe` is. */
function mayBeOfApp({ name }: FilePath): boolean {
  const extension = extensionOf(name);
  return extension === "" || (knownType(extension) === undefined && !isCodingExtension(extension));
}

function isCodingExtension(extension: string): boolean {
  return codings.some((coding) => coding.extension === `.${extension}`);
}
